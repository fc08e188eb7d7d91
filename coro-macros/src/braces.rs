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

impl Signs {
    /// Those of a text that cannot be read.
    const UNKNOWN: Signs = Signs {
        place: true,
        keyword: true,
        waits: true,
        pound: true,
        dollar: true,
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
                "{ yield_!(1); yield_from!(asyncs(constant, fns)).r_await }",
                vec![],
            ),
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
