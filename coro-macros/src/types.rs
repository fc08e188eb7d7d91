//! The extent of a type in tokens, without a tree for the type.
//!
//! The compiler has parsed the types of a function before it calls the attribute. So nothing here
//! checks a type; it only finds its end. A type that an argument of the attribute names is new to the
//! compiler, which then checks it where it is printed.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::tokens::{self, is_group, is_punct, is_word};

/// The number of tokens of the type with which the tokens begin, if they begin with one.
pub(crate) fn length(trees: &[TokenTree]) -> Option<usize> {
    of(trees, |extent| extent.ty(true))
}

/// The same for a type behind `&`, which ends before a `+`.
pub(crate) fn length_of_pointee(trees: &[TokenTree]) -> Option<usize> {
    of(trees, |extent| extent.ty(false))
}

/// The number of tokens of the predicates with which a `where` clause begins.
pub(crate) fn length_of_predicates(trees: &[TokenTree]) -> usize {
    let mut extent = Extent { trees, at: 0 };
    while extent.predicate().is_some() && extent.pass(',') {}
    extent.at
}

fn of(trees: &[TokenTree], read: fn(&mut Extent<'_>) -> Option<()>) -> Option<usize> {
    let mut extent = Extent { trees, at: 0 };
    read(&mut extent).map(|()| extent.at)
}

/// The places of the commas that are in no group and no angle brackets.
pub(crate) fn commas(trees: &[TokenTree]) -> Vec<usize> {
    let mut commas = Vec::new();
    let mut depth = 0_usize;
    for (at, tree) in trees.iter().enumerate() {
        let TokenTree::Punct(punct) = tree else {
            continue;
        };
        match punct.as_char() {
            '<' => depth += 1,
            '>' if !is_arrow(trees, at) => depth = depth.saturating_sub(1),
            ',' if depth == 0 => commas.push(at),
            _ => {}
        }
    }
    commas
}

/// The parts between these commas.
pub(crate) fn split(mut trees: Vec<TokenTree>) -> Vec<Vec<TokenTree>> {
    let mut parts = Vec::new();
    for comma in commas(&trees).into_iter().rev() {
        parts.push(trees.split_off(comma + 1));
        trees.pop();
    }
    parts.push(trees);
    parts.reverse();
    parts.pop_if(|last| last.is_empty());
    parts
}

/// The type without parentheses and invisible groups around it.
pub(crate) fn bare(ty: TokenStream) -> Vec<TokenTree> {
    let mut trees = tokens::trees(ty);
    while let [TokenTree::Group(group)] = trees.as_slice() {
        let inside = tokens::trees(group.stream());
        let is_one = match group.delimiter() {
            Delimiter::None => true,
            Delimiter::Parenthesis => !inside.is_empty() && commas(&inside).is_empty(),
            _ => false,
        };
        if !is_one {
            break;
        }
        trees = inside;
    }
    trees
}

pub(crate) fn is_never(ty: &TokenStream) -> bool {
    matches!(bare(ty.clone()).as_slice(), [only] if is_punct(only, '!'))
}

/// Whether the type is an `impl Trait`.
pub(crate) fn is_impl(ty: &TokenStream) -> bool {
    let ty = bare(ty.clone());
    ty.first().is_some_and(|first| is_word(first, "impl"))
}

/// Whether the `>` at this place belongs to `->` or `=>`.
fn is_arrow(trees: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| trees.get(before));
    before.is_some_and(|tree| is_punct(tree, '-') || is_punct(tree, '='))
}

/// Words that are no name of a type.
const KEYWORDS: [&str; 31] = [
    "as", "async", "await", "break", "const", "continue", "else", "enum", "false", "if", "in",
    "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "static", "struct",
    "trait", "true", "type", "use", "where", "while", "yield", "become", "box",
];

/// The part of the tokens that has been read.
struct Extent<'a> {
    trees: &'a [TokenTree],
    at: usize,
}

impl Extent<'_> {
    fn next(&self) -> Option<&TokenTree> {
        self.trees.get(self.at)
    }

    fn is(&self, ahead: usize, punct: char) -> bool {
        let tree = self.trees.get(self.at + ahead);
        tree.is_some_and(|tree| is_punct(tree, punct))
    }

    fn pass(&mut self, punct: char) -> bool {
        let is_next = self.is(0, punct);
        self.at += usize::from(is_next);
        is_next
    }

    fn pass_word(&mut self, word: &str) -> bool {
        let is_next = self.next().is_some_and(|tree| is_word(tree, word));
        self.at += usize::from(is_next);
        is_next
    }

    fn pass_group(&mut self, delimiter: Delimiter) -> bool {
        let is_next = self.next().is_some_and(|tree| is_group(tree, delimiter));
        self.at += usize::from(is_next);
        is_next
    }

    fn pass_two_colons(&mut self) -> bool {
        let are_next = self.is(0, ':') && self.is(1, ':');
        self.at += 2 * usize::from(are_next);
        are_next
    }

    fn ty(&mut self, plus: bool) -> Option<()> {
        match self.next()? {
            TokenTree::Literal(_) => None,
            TokenTree::Group(group) => match group.delimiter() {
                Delimiter::Brace => None,
                Delimiter::None => {
                    self.at += 1;
                    self.rest_of_path()
                }
                _ => {
                    self.at += 1;
                    Some(())
                }
            },
            TokenTree::Punct(punct) => match punct.as_char() {
                '!' => {
                    self.at += 1;
                    Some(())
                }
                '*' => {
                    self.at += 1;
                    (self.pass_word("const") || self.pass_word("mut")).then_some(())?;
                    self.ty(false)
                }
                '&' => self.reference(),
                '<' => {
                    self.angles()?;
                    self.rest_of_path()
                }
                ':' => self.path(),
                _ => None,
            },
            TokenTree::Ident(word) => self.word(&word.to_string(), plus),
        }
    }

    fn reference(&mut self) -> Option<()> {
        self.at += 1;
        self.lifetime();
        self.pass_word("mut");
        self.ty(false)
    }

    fn lifetime(&mut self) -> bool {
        let is_next = self.is(0, '\'');
        self.at += 2 * usize::from(is_next);
        is_next
    }

    /// A type that begins with this word.
    fn word(&mut self, word: &str, plus: bool) -> Option<()> {
        match word {
            "impl" | "dyn" => {
                self.at += 1;
                self.bounds(plus)
            }
            "for" => {
                self.at += 1;
                self.angles()?;
                self.ty(plus)
            }
            "unsafe" => {
                self.at += 1;
                self.ty(plus)
            }
            "extern" => {
                self.at += 1;
                if matches!(self.next(), Some(TokenTree::Literal(_))) {
                    self.at += 1;
                }
                self.ty(plus)
            }
            "fn" => {
                self.at += 1;
                self.pass_group(Delimiter::Parenthesis).then_some(())?;
                self.output()
            }
            _ => self.path(),
        }
    }

    /// `-> Type`, if it is next.
    fn output(&mut self) -> Option<()> {
        if self.is(0, '-') && self.is(1, '>') {
            self.at += 2;
            return self.ty(false);
        }
        Some(())
    }

    fn path(&mut self) -> Option<()> {
        self.pass_two_colons();
        self.segment()?;
        self.rest_of_path()
    }

    fn segment(&mut self) -> Option<()> {
        match self.next()? {
            TokenTree::Ident(word) if KEYWORDS.iter().all(|keyword| word != keyword) => {
                self.at += 1;
                Some(())
            }
            _ => None,
        }
    }

    /// The generic arguments of a segment, and further segments.
    fn rest_of_path(&mut self) -> Option<()> {
        loop {
            let is_macro = self.is(0, '!');
            if is_macro && matches!(self.trees.get(self.at + 1), Some(TokenTree::Group(_))) {
                self.at += 2;
                return Some(());
            }
            if self.is(0, '<') {
                self.angles()?;
            } else if self.pass_group(Delimiter::Parenthesis) {
                return self.output();
            }
            if !self.pass_two_colons() {
                return Some(());
            }
            if !self.is(0, '<') && !self.pass_group(Delimiter::Parenthesis) {
                self.segment()?;
            }
        }
    }

    /// All from `<` to its `>`.
    fn angles(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        while let Some(tree) = self.next() {
            if is_punct(tree, '<') {
                depth += 1;
            } else if is_punct(tree, '>') && !is_arrow(self.trees, self.at) {
                depth = depth.checked_sub(1)?;
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
        None
    }

    fn bounds(&mut self, plus: bool) -> Option<()> {
        self.bound()?;
        while plus && self.pass('+') {
            let before = self.at;
            if self.bound().is_none() {
                self.at = before; // a `+` may end the bounds
                break;
            }
        }
        Some(())
    }

    fn bound(&mut self) -> Option<()> {
        if self.lifetime() || self.pass_group(Delimiter::Parenthesis) {
            return Some(());
        }
        if self.pass_word("use") {
            return self.angles();
        }
        let _ = self.pass('?') || self.pass('~');
        let _ = self.pass_word("const") || self.pass_word("async");
        if self.pass_word("for") {
            self.angles()?;
        }
        match self.pass_group(Delimiter::None) {
            true => self.rest_of_path(),
            false => self.path(),
        }
    }

    fn predicate(&mut self) -> Option<()> {
        let before = self.at;
        if self.pass_word("for") {
            self.angles()?;
        }
        let subject = self.lifetime() || self.ty(false).is_some();
        if !subject || !self.pass(':') {
            self.at = before;
            return None;
        }
        let after = self.at;
        if self.bounds(true).is_none() {
            self.at = after; // no bound at all is allowed
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn read(text: &str) -> Vec<TokenTree> {
        let tokens = TokenStream::from_str(text).expect("the text is made of tokens");
        tokens::trees(tokens)
    }

    #[test]
    fn a_type_is_read_to_its_end_and_no_further() {
        for ty in [
            "u32",
            "a::b::C",
            "::a::B<C, D>",
            "Vec<Vec<u8>>",
            "()",
            "(A, B)",
            "[u8; 4]",
            "!",
            "_",
            "&T",
            "&'a mut [T]",
            "&&dyn A",
            "*const fn() -> u8",
            "<T as A<'_>>::B",
            "<T>::B::C<D>",
            "impl Fn(&T) -> U + Send",
            "dyn for<'a> A<&'a T, Item = B> + 'b",
            "impl ?Sized + use<'a, T>",
            "unsafe extern \"C\" fn(u8, ...) -> *mut T",
            "for<'a> fn(&'a T) -> &'a U",
            "m!(a, b)",
            "a::m![T]",
            "Box<dyn FnOnce(A, B) -> C>",
            "Foo<{ N + 1 }, 3>",
            "Foo::<A>::Bar",
            "impl Iterator<Item: A + B>",
        ] {
            for rest in ["", ", u8", "send", "= 1", ";", "where T: A", "{ a }"] {
                let trees = read(&format!("{ty} {rest}"));
                assert_eq!(length(&trees), Some(read(ty).len()), "{ty} {rest}");
            }
        }
    }

    #[test]
    fn a_pointee_ends_before_a_plus() {
        let trees = read("impl A + B");
        assert_eq!(
            (length_of_pointee(&trees), length(&trees)),
            (Some(2), Some(4))
        );
    }

    #[test]
    fn no_type_is_found_where_there_is_none() {
        for text in [
            "", "1", "\"u8\"", "'a", "=", "send ::", "&", "static", "Vec<u8", "*T", "fn",
        ] {
            assert_eq!(length(&read(text)), None, "{text}");
        }
    }

    #[test]
    fn predicates_are_read_to_the_end_of_the_clause() {
        for clause in [
            "T: A",
            "T: A, 'a: 'b + 'c,",
            "for<'x> &'x T: A<'x> + ?Sized, U: 'x",
            "[T; N]: Default, T::Item: for<'a> Fn(&'a T) -> U",
        ] {
            for rest in ["", ";", "word"] {
                let trees = read(&format!("{clause} {rest}"));
                let found = length_of_predicates(&trees);
                assert_eq!(found, read(clause).len(), "{clause} {rest}");
            }
        }
    }

    #[test]
    fn commas_of_a_type_separate_no_parts() {
        let trees = read("a: A<B, C>, b: fn(D, E) -> F<G, H>, c: impl Fn() -> I,");
        assert_eq!(split(trees).len(), 3);
        assert!(split(Vec::new()).is_empty());
    }

    #[test]
    fn parentheses_around_a_type_are_no_tuple() {
        let bare = |text| bare(TokenStream::from_str(text).unwrap()).len();
        assert_eq!(
            (bare("((A))"), bare("(A,)"), bare("(A, B)"), bare("()")),
            (1, 1, 1, 1)
        );
        assert!(is_never(&TokenStream::from_str("((!))").unwrap()));
        assert!(!is_never(&TokenStream::from_str("(!,)").unwrap()));
    }
}
