//! A cursor over tokens, for code that reads them unparsed.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};

/// A name with an apostrophe.
#[derive(Clone, Debug)]
pub(crate) struct Lifetime {
    apostrophe: Span,
    pub(crate) ident: Ident,
}

impl Lifetime {
    /// The lifetime `'name`.
    pub(crate) fn new(name: &str, span: Span) -> Lifetime {
        Lifetime {
            apostrophe: span,
            ident: Ident::new(name, span),
        }
    }

    /// The lifetime with which the tokens begin.
    pub(crate) fn begins(trees: &[TokenTree]) -> Option<Lifetime> {
        match trees {
            [TokenTree::Punct(quote), TokenTree::Ident(ident), ..] if quote.as_char() == '\'' => {
                let (apostrophe, ident) = (quote.span(), ident.clone());
                Some(Lifetime { apostrophe, ident })
            }
            _ => None,
        }
    }
}

impl PartialEq for Lifetime {
    fn eq(&self, other: &Lifetime) -> bool {
        self.ident == other.ident
    }
}

impl ToTokens for Lifetime {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut apostrophe = Punct::new('\'', Spacing::Joint);
        apostrophe.set_span(self.apostrophe);
        tokens.append(apostrophe);
        tokens.append(self.ident.clone());
    }
}

pub(crate) fn trees(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

/// The tokens between two delimiters, with a position. The token at the position is "the token that
/// is read".
pub(crate) struct Cursor {
    trees: Vec<TokenTree>,
    at: usize,
}

impl Cursor {
    pub(crate) fn new(tokens: TokenStream) -> Cursor {
        Cursor {
            trees: trees(tokens),
            at: 0,
        }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.trees.len()
    }

    pub(crate) fn advance(&mut self, by: usize) {
        self.at += by;
    }

    /// Passes this token if it is the one that is read.
    pub(crate) fn pass(&mut self, punct: char) -> bool {
        let is_next = self.is_punct(0, punct);
        self.at += usize::from(is_next);
        is_next
    }

    /// Passes this number of tokens, and gives them. Nothing if there are fewer.
    pub(crate) fn take(&mut self, length: usize) -> Option<TokenStream> {
        let taken = self.rest().get(..length)?.iter().cloned().collect();
        self.at += length;
        Some(taken)
    }

    /// The token that is `ahead` places after the token that is read.
    pub(crate) fn tree(&self, ahead: usize) -> Option<&TokenTree> {
        self.trees.get(self.at + ahead)
    }

    /// The token that is read, and all after it.
    pub(crate) fn rest(&self) -> &[TokenTree] {
        self.trees.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn before(&self, behind: usize) -> Option<&TokenTree> {
        self.trees.get(self.at.checked_sub(behind)?)
    }

    /// The tokens after the token that is `ahead`.
    pub(crate) fn after(&self, ahead: usize) -> &[TokenTree] {
        self.trees.get(self.at + ahead + 1..).unwrap_or_default()
    }

    pub(crate) fn is_punct(&self, ahead: usize, punct: char) -> bool {
        self.tree(ahead).is_some_and(|tree| is_punct(tree, punct))
    }

    pub(crate) fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.tree(ahead).is_some_and(|tree| is_word(tree, word))
    }

    pub(crate) fn group(&self, ahead: usize, delimiter: Delimiter) -> Option<&Group> {
        match self.tree(ahead)? {
            TokenTree::Group(group) if group.delimiter() == delimiter => Some(group),
            _ => None,
        }
    }

    /// Whether `name!(..)`, in any delimiters, begins here.
    pub(crate) fn is_macro_call(&self) -> bool {
        let name = matches!(self.tree(0), Some(TokenTree::Ident(_)));
        name && self.is_punct(1, '!') && matches!(self.tree(2), Some(TokenTree::Group(_)))
    }

    /// Puts `tokens` between the delimiters of the group that is read.
    pub(crate) fn replace_inside(&mut self, tokens: TokenStream) {
        if let Some(TokenTree::Group(group)) = self.trees.get_mut(self.at) {
            *group = with_tokens(group, tokens);
        }
    }

    pub(crate) fn into_tokens(self) -> TokenStream {
        self.trees.into_iter().collect()
    }
}

/// The group with other tokens in it.
pub(crate) fn with_tokens(group: &Group, tokens: TokenStream) -> Group {
    let mut other = Group::new(group.delimiter(), tokens);
    other.set_span(group.span());
    other
}

pub(crate) fn is_punct(tree: &TokenTree, punct: char) -> bool {
    matches!(tree, TokenTree::Punct(other) if other.as_char() == punct)
}

pub(crate) fn is_word(tree: &TokenTree, word: &str) -> bool {
    matches!(tree, TokenTree::Ident(other) if other == word)
}

pub(crate) fn is_group(tree: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == delimiter)
}

/// The tokens between the `separator`s that are not in a group.
pub(crate) fn split(tokens: TokenStream, separator: char) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let parts = trees.split(|tree| is_punct(tree, separator));
    parts.map(|part| part.iter().cloned().collect()).collect()
}

/// Whether the tokens contain one of the words, at any depth.
pub(crate) fn mentions(tokens: TokenStream, words: &[&str]) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => mentions(group.stream(), words),
        tree => words.iter().any(|word| is_word(&tree, word)),
    })
}

/// The words in some types, and the lifetimes that are declared outside of the types.
pub(crate) fn names(types: TokenStream) -> (Vec<String>, Vec<Lifetime>) {
    let mut names = Names::default();
    names.read(Cursor::new(types));
    let Names {
        words,
        lifetimes,
        bound,
    } = names;
    let is_free = |lifetime: &Lifetime| {
        let name = &lifetime.ident;
        name != "_" && name != "static" && !bound.contains(name)
    };
    (words, lifetimes.into_iter().filter(is_free).collect())
}

#[derive(Default)]
struct Names {
    words: Vec<String>,
    lifetimes: Vec<Lifetime>,
    /// The names that a `for<..>` declares.
    bound: Vec<Ident>,
}

impl Names {
    fn read(&mut self, mut cursor: Cursor) {
        let mut declaring = false;
        while let Some(tree) = cursor.tree(0) {
            match tree {
                TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                    self.lifetime(&cursor, declaring);
                    cursor.advance(1);
                }
                TokenTree::Punct(punct) => declaring &= punct.as_char() != '>',
                TokenTree::Ident(word) if word == "for" => declaring = true,
                TokenTree::Ident(word) => self.words.push(word.to_string()),
                TokenTree::Group(group) => self.read(Cursor::new(group.stream())),
                TokenTree::Literal(_) => {}
            }
            cursor.advance(1);
        }
    }

    fn lifetime(&mut self, cursor: &Cursor, declaring: bool) {
        let Some(lifetime) = Lifetime::begins(cursor.rest()) else {
            return;
        };
        match declaring {
            true => self.bound.push(lifetime.ident),
            false if self.lifetimes.contains(&lifetime) => {}
            false => self.lifetimes.push(lifetime),
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn the_cursor_looks_ahead_and_back_and_never_beyond() {
        let mut cursor = Cursor::new(quote!(a ! { b } ;));
        assert!(cursor.is_macro_call());
        assert!(cursor.before(1).is_none());
        cursor.advance(2);
        assert!(cursor.before(2).is_some_and(|tree| is_word(tree, "a")));
        assert!(cursor.group(0, Delimiter::Brace).is_some());
        assert!(cursor.group(0, Delimiter::Parenthesis).is_none());
        assert!(cursor.is_punct(1, ';') && !cursor.is_word(0, "b"));
        assert_eq!(cursor.after(0).len(), 1);
        cursor.advance(9);
        assert!(cursor.is_at_end() && cursor.tree(0).is_none() && cursor.after(5).is_empty());
    }

    #[test]
    fn no_macro_call_without_all_of_its_parts() {
        for tokens in [
            quote!(a != (b)),
            quote!(a!),
            quote!(!(b)),
            quote!(),
            quote!(a! b),
        ] {
            assert!(!Cursor::new(tokens.clone()).is_macro_call(), "{tokens}");
        }
    }

    #[test]
    fn the_group_that_is_read_is_the_one_replaced() {
        let mut cursor = Cursor::new(quote!(a(b)(c)));
        cursor.advance(1);
        cursor.replace_inside(quote!(d));
        assert_eq!(
            cursor.into_tokens().to_string(),
            quote!(a(d)(c)).to_string()
        );
    }

    #[test]
    fn words_are_found_at_any_depth() {
        assert!(mentions(quote!(a (b { impl C })), &["impl"]));
        assert!(!mentions(quote!(a (r#impl "impl")), &["impl"]));
    }

    #[test]
    fn lifetimes_that_a_type_declares_itself_are_not_its_surroundings() {
        let (words, lifetimes) = names(quote!(
            &'a T,
            for<'x> fn(&'x U, &'_ V) -> [W<'b>; 2],
            &'static str,
            &'a u8
        ));
        let lifetimes: Vec<String> = lifetimes.iter().map(|it| it.ident.to_string()).collect();
        assert_eq!(lifetimes, ["a", "b"]);
        for word in ["T", "U", "V", "W"] {
            assert!(words.iter().any(|other| other == word));
        }
    }
}
