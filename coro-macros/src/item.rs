//! The annotated function, as its author wrote it.
//!
//! Only the part before the body is read. The body stays one opaque group of tokens. A long body
//! therefore costs nothing, keeps its author's spans and edition, and may be half-typed.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::attribute::Attribute;
use crate::braces::Braces;
use crate::mistake::{Mistake, Result};
use crate::signature::{Signature, Trees};
use crate::tokens::{self, is_group, is_punct, is_word};

/// A function, method or required method.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    /// The visibility, or nothing.
    pub(crate) vis: TokenStream,
    /// Whether `pub` is written.
    pub(crate) public: bool,
    pub(crate) sig: Signature,
    pub(crate) body: Body,
}

/// The part after the signature.
pub(crate) enum Body {
    Braced(Braces),
    /// The semicolon of a required method.
    Missing(TokenTree),
}

impl Function {
    pub(crate) fn parse(item: TokenStream) -> Result<Function> {
        let mut head = flatten(item);
        let body = head.pop_if(|last| braces(last).is_some());
        let body = body.as_ref().and_then(braces);
        let mut head = head.into_iter().peekable();
        let attrs = Attribute::take(&mut head, false);
        let public = head.peek().is_some_and(|tree| is_word(tree, "pub"));
        let vis = visibility(&mut head);
        let (sig, rest) = Signature::read(head, body.is_some())?;
        let body = match body {
            Some(body) => Body::Braced(Braces::new(body)),
            None => without_braces(&sig, rest)?,
        };
        let function = Function {
            attrs,
            vis,
            public,
            sig,
            body,
        };
        Ok(function.with_inner_attributes())
    }

    /// Moves inner attributes of the body to the function, where they mean the same.
    fn with_inner_attributes(mut self) -> Function {
        if let Body::Braced(body) = &mut self.body {
            let inner = body.take_inner_attributes();
            let inner = Attribute::take(&mut inner.into_iter().peekable(), true);
            self.attrs.extend(inner);
        }
        self
    }
}

/// All before the signature: also `default`, and what a macro was given as `$vis`.
fn visibility(trees: &mut Trees) -> TokenStream {
    let mut vis = Vec::new();
    while let Some(tree) = trees.next_if(|tree| match tree {
        TokenTree::Ident(word) => word == "pub" || word == "crate" || word == "default",
        tree => is_group(tree, Delimiter::Parenthesis) || is_group(tree, Delimiter::None),
    }) {
        vis.push(tree);
    }
    vis.into_iter().collect()
}

/// The part after the signature of a function that does not end in braces.
fn without_braces(sig: &Signature, rest: Vec<TokenTree>) -> Result<Body> {
    match rest.as_slice() {
        [semi] if is_punct(semi, ';') => Ok(Body::Missing(semi.clone())),
        [] => Err(Mistake::new(sig.ident.span(), "this function has no body")),
        // An editor puts a word in the place of a body that it cannot parse, and exchanges the word for the
        // body again in the expansion.
        _ => {
            let mut body = Group::new(Delimiter::Brace, rest.into_iter().collect());
            body.set_span(sig.ident.span());
            Ok(Body::Braced(Braces::new(body)))
        }
    }
}

/// The braced group itself, without the invisible group around a `$body:block`.
fn braces(tree: &TokenTree) -> Option<Group> {
    match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.clone()),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let mut trees = group.stream().into_iter();
            let first = trees.next()?;
            match trees.next() {
                None => braces(&first),
                Some(_) => None,
            }
        }
        _ => None,
    }
}

/// The tokens, without the invisible group around an `$item:item`.
fn flatten(item: TokenStream) -> Vec<TokenTree> {
    let mut trees = tokens::trees(item);
    match trees.as_slice() {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => {
            trees = flatten(group.stream());
        }
        _ => {}
    }
    trees
}
