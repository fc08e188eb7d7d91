//! An attribute of the function, or of one of its arguments.

use std::iter::Peekable;

use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};

use crate::tokens::{is_group, is_punct};

/// `#[path ..]`.
pub(crate) struct Attribute {
    pound: TokenTree,
    brackets: Group,
    /// The words of its path.
    path: Vec<String>,
}

impl Attribute {
    /// An attribute with these tokens between its brackets.
    pub(crate) fn new(inside: TokenStream) -> Attribute {
        let pound = Punct::new('#', Spacing::Alone).into();
        Attribute::with(pound, Group::new(Delimiter::Bracket, inside))
    }

    fn with(pound: TokenTree, brackets: Group) -> Attribute {
        let path = path(brackets.stream());
        Attribute {
            pound,
            brackets,
            path,
        }
    }

    /// Takes all attributes with which the tokens begin. Those that are `inner` become outer ones.
    pub(crate) fn take(
        trees: &mut Peekable<impl Iterator<Item = TokenTree>>,
        inner: bool,
    ) -> Vec<Attribute> {
        let mut all = Vec::new();
        while let Some(pound) = trees.next_if(|tree| is_punct(tree, '#')) {
            if inner {
                trees.next_if(|tree| is_punct(tree, '!'));
            }
            match trees.next_if(|tree| is_group(tree, Delimiter::Bracket)) {
                Some(TokenTree::Group(brackets)) => all.push(Attribute::with(pound, brackets)),
                _ => break,
            }
        }
        all
    }

    pub(crate) fn inside(&self) -> TokenStream {
        self.brackets.stream()
    }

    /// Whether its path is this one word.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self.path.as_slice(), [only] if only == word)
    }

    /// The last word of its path.
    pub(crate) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// The first word inside of `unsafe(..)`, or else the last word of its path.
    pub(crate) fn effective_name(&self) -> String {
        let inside = || {
            let mut trees = self.inside().into_iter().skip(1);
            let TokenTree::Group(group) = trees.next()? else {
                return None;
            };
            group.stream().into_iter().next()
        };
        match self.is("unsafe") {
            true => inside().map(|word| word.to_string()).unwrap_or_default(),
            false => self.name().to_owned(),
        }
    }
}

/// The words of the path with which the tokens begin.
fn path(inside: TokenStream) -> Vec<String> {
    let mut words = Vec::new();
    for tree in inside {
        match tree {
            TokenTree::Ident(word) => words.push(word.to_string()),
            // The compiler puts a path that a macro was given into an invisible group.
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                words.extend(path(group.stream()));
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => {}
            _ => break,
        }
    }
    words
}

impl ToTokens for Attribute {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append(self.pound.clone());
        tokens.append(self.brackets.clone());
    }
}
