//! A body: its braces, and the words that its text shows.
//!
//! The text costs one call of the compiler, its tokens one for each pair of delimiters. So the tokens are
//! read only if the text shows a reason.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::tokens::{self, is_punct};

pub(crate) struct Braces {
    pub(crate) group: Group,
    signs: Signs,
}

/// Which reasons to read the tokens a text shows.
#[derive(Clone, Copy, Default)]
struct Signs {
    /// A word or a bar that may begin a place in which the body cannot suspend.
    place: bool,
    /// The keyword `yield`.
    keyword: bool,
    waits: bool,
    /// An attribute.
    pound: bool,
    /// A variable of a macro: the text is not that of the tokens.
    dollar: bool,
    /// A call of a macro that may put its input into a place in which the body cannot suspend.
    hides: bool,
    /// A call of `yield_!` or `yield_from!`.
    point: bool,
    comment: bool,
    by_an_attribute: bool,
}

impl Braces {
    pub(crate) fn new(group: Group) -> Braces {
        let signs = match group.span().source_text() {
            Some(text) if text.starts_with('{') => Signs::of(&text, &group),
            _ => Signs::UNKNOWN,
        };
        Braces { group, signs }
    }

    /// A body that is the whole of a text.
    #[cfg(test)]
    pub(crate) fn of_text(text: &str) -> Braces {
        let tokens: TokenStream = text.parse().expect("the text is made of tokens");
        let mut signs = Signs::default();
        signs.read(text.as_bytes());
        let group = Group::new(Delimiter::Brace, tokens);
        Braces { group, signs }
    }

    /// The body that takes the place of one that was refused.
    pub(crate) fn instead(tokens: TokenStream) -> Braces {
        let group = Group::new(Delimiter::Brace, tokens);
        let signs = Signs::default();
        Braces { group, signs }
    }

    /// Whether an attribute has rewritten the body: then the body does not begin with a word of its
    /// author. A token that a macro adds has the span of the macro's call.
    pub(crate) fn is_by_an_attribute(&self) -> bool {
        self.signs.by_an_attribute
    }

    /// Whether a word may begin a place in which the body cannot suspend, or be the keyword `yield`.
    pub(crate) fn may_have_places(&self) -> bool {
        self.signs.place || self.signs.keyword
    }

    /// Whether each yield point surely stands in the body itself: no word of the text begins another place,
    /// and no macro can hide one.
    pub(crate) fn is_one_place(&self) -> bool {
        !self.signs.place && !self.signs.hides
    }

    /// Whether there may be a yield point.
    pub(crate) fn may_suspend(&self) -> bool {
        self.signs.point || self.signs.hides
    }

    /// Whether the compiler may see less than the text shows.
    pub(crate) fn may_be_cut(&self) -> bool {
        self.signs.pound || self.signs.comment
    }

    /// Whether there may be an `.await`.
    pub(crate) fn may_wait(&self) -> bool {
        self.signs.waits
    }

    /// Takes the inner attributes, with the `#` before each.
    pub(crate) fn take_inner_attributes(&mut self) -> Vec<TokenTree> {
        if !self.signs.pound {
            return Vec::new();
        }
        let mut trees = tokens::trees(self.group.stream());
        let begins = |trees: &[TokenTree]| match trees {
            [pound, bang, ..] => is_punct(pound, '#') && is_punct(bang, '!'),
            _ => false,
        };
        let mut end = 0;
        while trees.get(end..).is_some_and(begins) {
            end += 3;
        }
        if end == 0 {
            return Vec::new();
        }
        let rest = trees.split_off(end.min(trees.len()));
        self.group = tokens::with_tokens(&self.group, rest.into_iter().collect());
        trees
    }
}

/// The bytes that words are made of.
const LETTERS: [bool; 256] = {
    let mut letters = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        letters[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_';
        byte += 1;
    }
    letters
};

/// Keywords before an operand, where `!` is an operator.
const BEFORE_OPERANDS: [&[u8]; 6] = [b"if", b"while", b"match", b"return", b"in", b"break"];

/// Macros of the standard library that evaluate their input where they stand.
const EVALUATING: [&[u8]; 17] = [
    b"assert",
    b"assert_eq",
    b"assert_ne",
    b"dbg",
    b"debug_assert",
    b"debug_assert_eq",
    b"eprint",
    b"eprintln",
    b"format",
    b"matches",
    b"panic",
    b"print",
    b"println",
    b"todo",
    b"vec",
    b"write",
    b"writeln",
];

impl Signs {
    /// Those of a text that cannot be read.
    const UNKNOWN: Signs = Signs {
        place: true,
        keyword: true,
        waits: true,
        pound: true,
        dollar: true,
        hides: true,
        point: true,
        comment: true,
        by_an_attribute: false,
    };

    fn of(text: &str, group: &Group) -> Signs {
        let mut signs = Signs::default();
        signs.read(text.as_bytes());
        let by_an_attribute = begins_otherwise(group, text);
        match signs.dollar || by_an_attribute {
            true => Signs {
                by_an_attribute,
                ..Signs::UNKNOWN
            },
            false => signs,
        }
    }

    /// Reads each word once: without optimisation, as programs compile macros, a search for each sign
    /// would take several times as long.
    fn read(&mut self, text: &[u8]) {
        let mut at = 0;
        while at < text.len() {
            let begin = at;
            while at < text.len() && LETTERS[text[at] as usize] {
                at += 1;
            }
            match at - begin {
                0 => {
                    self.punct(text[at]);
                    match text[at] {
                        b'!' => self.bang(&text[..at], &text[at + 1..]),
                        b'/' => self.comment |= matches!(text.get(at + 1), Some(b'/' | b'*')),
                        _ => {}
                    }
                    at += 1;
                }
                2 | 5 | 6 => self.word(&text[begin..at]),
                _ => {}
            }
        }
    }

    fn punct(&mut self, punct: u8) {
        match punct {
            b'|' => self.place = true,
            b'#' => self.pound = true,
            b'$' => self.dollar = true,
            _ => {}
        }
    }

    /// Reads the `!` between two parts of the text: that of a macro's call, or an operator.
    fn bang(&mut self, before: &[u8], after: &[u8]) {
        let before = before.trim_ascii_end();
        let is_letter = |byte: &&u8| LETTERS[**byte as usize];
        let length = before.iter().rev().take_while(is_letter).count();
        let (rest, name) = before.split_at(before.len() - length);
        let after = after.trim_ascii_start().first();
        match name {
            b"yield_" | b"yield_from" => self.point = true,
            b"macro_rules" => self.hides = true,
            b"" => self.hides |= rest.last().is_some_and(|byte| !byte.is_ascii()),
            name if BEFORE_OPERANDS.contains(&name) || EVALUATING.contains(&name) => {}
            _ => self.hides |= matches!(after, Some(b'(' | b'[' | b'{' | b'/')),
        }
    }

    fn word(&mut self, word: &[u8]) {
        match word {
            b"async" | b"const" | b"static" | b"fn" => self.place = true,
            b"await" => self.waits = true,
            b"yield" => self.keyword = true,
            _ => {}
        }
    }
}

/// Whether the first token of the group is not in the text.
fn begins_otherwise(group: &Group, text: &str) -> bool {
    let first = group.stream().into_iter().next();
    let first = first.and_then(|tree| tree.span().source_text());
    first.is_some_and(|first| {
        let begins = text[1..].trim_start().starts_with(&first);
        !begins && !text.contains(&first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(text: &str) -> Vec<&'static str> {
        let mut signs = Signs::default();
        signs.read(text.as_bytes());
        let all = [
            (signs.place, "place"),
            (signs.keyword, "keyword"),
            (signs.waits, "waits"),
            (signs.pound, "pound"),
            (signs.dollar, "dollar"),
            (signs.hides, "hides"),
            (signs.point, "point"),
            (signs.comment, "comment"),
        ];
        all.iter()
            .filter(|sign| sign.0)
            .map(|sign| sign.1)
            .collect()
    }

    #[test]
    fn words_are_signs_and_parts_of_words_are_not() {
        for (text, expected) in [
            (
                "{ yielded(1); asyncs(constant, fns).r_await; 1 / 2 }",
                vec![],
            ),
            ("{ yield_!(1) }", vec!["point"]),
            ("{ coro::yield_from! { a } }", vec!["point"]),
            ("{ if !(a) && !b(!c) != !d { vec![1]; } }", vec![]),
            ("{ println!(\"Hello, world!\") }", vec![]),
            ("{ select! { a } }", vec!["hides"]),
            ("{ my_yield_from !\n(a) }", vec!["hides"]),
            ("{ m! /**/ (a) }", vec!["hides", "comment"]),
            ("{ macro_rules! m { () => {} } }", vec!["hides"]),
            ("{ \u{e9}!(a) }", vec!["hides"]),
            ("{ a // b\n }", vec!["comment"]),
            ("{ a.await }", vec!["waits"]),
            ("{|x| x}", vec!["place"]),
            ("{async{}}", vec!["place"]),
            ("{ fn f() {} }", vec!["place"]),
            ("{ static A: u8 = 1; }", vec!["place"]),
            ("{ const { 1 } }", vec!["place"]),
            ("{ yield 1 }", vec!["keyword"]),
            ("{ #![allow(x)] é }", vec!["pound"]),
            ("{ $body }", vec!["dollar"]),
        ] {
            assert_eq!(signs(text), expected, "{text}");
        }
    }
}
