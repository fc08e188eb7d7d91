//! The annotated function, as its author wrote it.
//!
//! Only the part before the body is parsed. The body stays one opaque group of tokens. A long body
//! therefore costs nothing, keeps its author's spans and edition, and may be half-typed.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{AttrStyle, Attribute, Error, Result, Signature, Token, Visibility};

use crate::tokens::{self, Cursor};

/// A function, method or required method.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Body,
}

/// The part after the signature.
pub(crate) enum Body {
    Braced(Group),
    Missing(Token![;]),
}

impl Function {
    pub(crate) fn parse(item: TokenStream) -> Result<Function> {
        let mut head = flatten(item);
        let body = head.pop_if(|last| braces(last).is_some());
        let head = head.into_iter().collect();
        match body.as_ref().and_then(braces) {
            Some(body) => with_body.parse2(head)?.complete(body),
            None => without_body.parse2(head),
        }
    }
}

/// The part before the body.
struct Head {
    attrs: Vec<Attribute>,
    vis: Visibility,
    sig: Signature,
}

impl Head {
    fn parse(input: ParseStream<'_>) -> Result<Head> {
        Ok(Head {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
        })
    }

    fn followed_by(self, body: Body) -> Function {
        Function {
            attrs: self.attrs,
            vis: self.vis,
            sig: self.sig,
            body,
        }
    }

    /// Moves inner attributes of the body to the function, where they mean the same.
    fn complete(mut self, body: Group) -> Result<Function> {
        if !begins_with_inner_attribute(&body) {
            return Ok(self.followed_by(Body::Braced(body)));
        }
        let split = |input: ParseStream<'_>| -> Result<(Vec<Attribute>, TokenStream)> {
            Ok((input.call(Attribute::parse_inner)?, input.parse()?))
        };
        let (inner, statements) = split.parse2(body.stream())?;
        let outer = |attr| Attribute {
            style: AttrStyle::Outer,
            ..attr
        };
        self.attrs.extend(inner.into_iter().map(outer));
        let rest = tokens::with_tokens(&body, statements);
        Ok(self.followed_by(Body::Braced(rest)))
    }
}

fn begins_with_inner_attribute(body: &Group) -> bool {
    let cursor = Cursor::new(body.stream());
    cursor.is_punct(0, '#') && cursor.is_punct(1, '!')
}

fn with_body(input: ParseStream<'_>) -> Result<Head> {
    Head::parse(input)
}

fn without_body(input: ParseStream<'_>) -> Result<Function> {
    let head = Head::parse(input)?;
    match input.parse() {
        Ok(semi) => Ok(head.followed_by(Body::Missing(semi))),
        // An editor puts a word in the place of a body that it cannot parse, and exchanges the word for the
        // body again in the expansion.
        Err(_) if !input.is_empty() => {
            let mut body = Group::new(Delimiter::Brace, input.parse()?);
            body.set_span(head.sig.ident.span());
            Ok(head.followed_by(Body::Braced(body)))
        }
        Err(_) => Err(Error::new(
            head.sig.ident.span(),
            "this function has no body",
        )),
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
    let mut trees: Vec<TokenTree> = item.into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => {
            trees = flatten(group.stream());
        }
        _ => {}
    }
    trees
}
