//! Bodies that an attribute above has rewritten.
//!
//! Attributes are expanded from top to bottom. An attribute that puts code around a body must see
//! the printed coroutine, and so must stand below.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};

use crate::attribute::Attribute;
use crate::mistake::Mistake;

pub(crate) const IN_ASYNC_BLOCK: &str = "an attribute above has put this body into an `async` block: \
    write the attribute of coro first, above all that rewrite bodies, as `#[tracing::instrument]` does";

const GUARD: &str = "an attribute above would keep its span entered while this coroutine is suspended: \
    write the attribute of coro first, above `#[tracing::instrument]`";

const GENERATOR: &str = "the span would be entered while the generator is made, and not while it runs: \
    remove this attribute, and instrument the functions that the generator calls";

/// Refuses a guard around the body, which would be held across the waits of the coroutine.
pub(crate) fn guard(body: &Group, name: &Ident) -> Option<Mistake> {
    let holds = |tokens: TokenStream| {
        let mut trees = tokens.into_iter();
        trees.any(|tree| matches!(&tree, TokenTree::Ident(word) if is_guard(word)))
    };
    let mut trees = body.stream().into_iter();
    let held = trees.any(|tree| matches!(tree, TokenTree::Group(inner) if holds(inner.stream())));
    (held || holds(body.stream())).then(|| Mistake::new(name.span(), GUARD))
}

/// Whether the word is the name of the guard that `#[tracing::instrument]` makes for its span.
fn is_guard(word: &Ident) -> bool {
    word == "__tracing_attr_guard"
}

/// Removes attributes whose span would cover only the call that makes the generator.
pub(crate) fn instrumented_generator(attrs: &mut Vec<Attribute>) -> Option<Mistake> {
    let is_instrument = |attr: &Attribute| attr.name() == "instrument";
    let found = attrs.iter().find(|attr| is_instrument(attr));
    let error = found.map(|attr| Mistake::of(attr, GENERATOR));
    attrs.retain(|attr| !is_instrument(attr));
    error
}
