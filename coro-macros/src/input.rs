//! An argument, or input, of the annotated function.
//!
//! Its pattern is not parsed: it is all before the first single `:`.

use proc_macro2::{Delimiter, Ident, Punct, Spacing, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};

use crate::attribute::Attribute;
use crate::tokens::{self, Lifetime, is_punct, is_word};

pub(crate) struct Input {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) kind: InputKind,
}

pub(crate) enum InputKind {
    Own(OwnInput),
    Other(OtherInput),
}

/// `self` in any form.
pub(crate) struct OwnInput {
    /// The tokens of `&'a mut`, as far as they are there.
    before: Vec<TokenTree>,
    pub(crate) self_token: Ident,
    pub(crate) ty: Option<TokenStream>,
}

/// `pattern: Type`.
pub(crate) struct OtherInput {
    pub(crate) pattern: Pattern,
    /// Missing while the argument is being typed.
    colon: Option<TokenTree>,
    pub(crate) ty: TokenStream,
}

pub(crate) enum Pattern {
    /// `name`, or `mut name`.
    Name(Option<TokenTree>, Ident),
    Other(TokenStream),
}

impl Input {
    pub(crate) fn read(trees: Vec<TokenTree>) -> Input {
        let mut trees = trees.into_iter().peekable();
        let attrs = Attribute::take(&mut trees, false);
        let trees: Vec<TokenTree> = trees.collect();
        let kind = match place_of_self(&trees) {
            Some(at) => OwnInput::read(trees, at),
            None => InputKind::Other(OtherInput::read(trees)),
        };
        Input { attrs, kind }
    }
}

/// The place of `self`, if it is no path such as `self::NAME`.
fn place_of_self(trees: &[TokenTree]) -> Option<usize> {
    let mut at = 0;
    let is = |at: usize, word: &str| trees.get(at).is_some_and(|tree| is_word(tree, word));
    if trees.first().is_some_and(|tree| is_punct(tree, '&')) {
        at += 1;
        if Lifetime::begins(&trees[at..]).is_some() {
            at += 2;
        }
    }
    at += usize::from(is(at, "mut"));
    let is_alone = || !begins_path(trees.get(at + 1..).unwrap_or_default());
    (is(at, "self") && is_alone()).then_some(at)
}

/// Whether `::` is next.
fn begins_path(trees: &[TokenTree]) -> bool {
    match trees {
        [TokenTree::Punct(first), second, ..] => {
            let is_joint = first.as_char() == ':' && first.spacing() == Spacing::Joint;
            is_joint && is_punct(second, ':')
        }
        _ => false,
    }
}

impl OwnInput {
    fn read(mut trees: Vec<TokenTree>, at: usize) -> InputKind {
        let after = trees.split_off(at + 1);
        match trees.pop() {
            Some(TokenTree::Ident(self_token)) => InputKind::Own(OwnInput {
                before: trees,
                self_token,
                ty: (!after.is_empty()).then(|| after.into_iter().skip(1).collect()),
            }),
            // `at` is the place of a word.
            other => InputKind::Other(OtherInput::read(
                trees.into_iter().chain(other).chain(after).collect(),
            )),
        }
    }

    /// Whether it is written `&self`, with or without a lifetime.
    pub(crate) fn is_reference(&self) -> bool {
        self.before.first().is_some_and(|tree| is_punct(tree, '&'))
    }

    /// The lifetime that is written in `&'a self`.
    pub(crate) fn lifetime(&self) -> Option<Lifetime> {
        Lifetime::begins(self.before.get(1..)?)
    }

    /// The `&'a mut` of `&'a mut self`, with `lifetime` if there is none, which it becomes then.
    pub(crate) fn name_lifetime(&mut self, lifetime: impl FnOnce() -> Lifetime) -> &[TokenTree] {
        if self.lifetime().is_none_or(|lifetime| lifetime.ident == "_") {
            let elided = if self.lifetime().is_some() {
                1..3
            } else {
                1..1
            };
            let named = lifetime().into_token_stream();
            self.before.splice(elided, named);
        }
        &self.before
    }
}

impl OtherInput {
    fn read(mut trees: Vec<TokenTree>) -> OtherInput {
        let mut at = 0;
        while at < trees.len() && !is_punct(&trees[at], ':') || begins_path(&trees[at..]) {
            at += if begins_path(&trees[at..]) { 2 } else { 1 };
        }
        let ty = trees.split_off(trees.len().min(at + 1));
        let colon = trees.pop_if(|last| is_punct(last, ':'));
        OtherInput {
            pattern: Pattern::read(trees),
            colon,
            ty: ty.into_iter().collect(),
        }
    }

    /// Whether a pattern and a type are there.
    pub(crate) fn is_whole(&self) -> bool {
        self.colon.is_some()
    }
}

impl Pattern {
    fn read(mut trees: Vec<TokenTree>) -> Pattern {
        if let [TokenTree::Group(group)] = trees.as_slice()
            && group.delimiter() == Delimiter::None
        {
            return match Pattern::read(tokens::trees(group.stream())) {
                Pattern::Other(_) => Pattern::Other(trees.into_iter().collect()),
                name => name,
            };
        }
        let is_name = match trees.as_slice() {
            [TokenTree::Ident(word)] => word != "_" && word != "ref",
            [word, TokenTree::Ident(_)] => is_word(word, "mut"),
            _ => false,
        };
        match trees.pop() {
            Some(TokenTree::Ident(name)) if is_name => Pattern::Name(trees.pop(), name),
            last => Pattern::Other(trees.into_iter().chain(last).collect()),
        }
    }
}

impl ToTokens for Input {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(&self.attrs);
        match &self.kind {
            InputKind::Own(own) => {
                tokens.append_all(&own.before);
                own.self_token.to_tokens(tokens);
                if let Some(ty) = &own.ty {
                    tokens.append(Punct::new(':', Spacing::Alone));
                    ty.to_tokens(tokens);
                }
            }
            InputKind::Other(other) => {
                other.pattern.to_tokens(tokens);
                other.colon.to_tokens(tokens);
                other.ty.to_tokens(tokens);
            }
        }
    }
}

impl ToTokens for Pattern {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Pattern::Name(mutability, name) => {
                mutability.to_tokens(tokens);
                name.to_tokens(tokens);
            }
            Pattern::Other(pattern) => pattern.to_tokens(tokens),
        }
    }
}
