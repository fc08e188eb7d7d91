//! The names that expansions mention.
//!
//! No other file spells a path into the runtime, so that `crate = path` is honoured everywhere.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::tokens::Lifetime;

/// The crate that users depend on, under the name that they gave it.
pub(crate) fn facade(renamed: Option<&TokenStream>) -> TokenStream {
    match renamed {
        Some(path) => quote!(#path),
        None => quote!(::coro),
    }
}

/// The module of the runtime that expansions call.
pub(crate) fn runtime(renamed: Option<&TokenStream>) -> TokenStream {
    let facade = facade(renamed);
    quote!(#facade::__private)
}

/// The macro through which `yield_!` and `yield_from!` reach the coroutine around them.
///
/// A caller without the attribute reads this name in the compiler's message. In
/// `coro_core::macro_support`, `yield_!` and `yield_from!` call it.
pub(crate) fn context_macro() -> Ident {
    Ident::new(
        "this_fn_needs_the_attribute_coro_coroutine",
        Span::call_site(),
    )
}

/// The label of the body. Every yield point has a `break` to it that is never taken.
///
/// A `break` cannot leave a closure or an `async` block, so a yield point inside of one does not
/// compile. The compiler's message quotes this name.
pub(crate) fn body_label() -> Lifetime {
    Lifetime::new(
        "yield_inside_a_closure_or_nested_async_block",
        Span::mixed_site(),
    )
}

/// The handle that a yielding body suspends through.
pub(crate) fn handle() -> Ident {
    Ident::new("__co", Span::mixed_site())
}

/// The type of that handle.
pub(crate) fn handle_type(waits: bool) -> Ident {
    let name = if waits { "AsyncCo" } else { "Co" };
    Ident::new(name, Span::call_site())
}

/// The word that a yield point is awaited in the body itself.
pub(crate) fn in_body() -> Ident {
    Ident::new("__in_body", Span::mixed_site())
}

/// The name for the argument at `index` if its pattern is not a name. Editors show no hint for a name
/// of underscores.
pub(crate) fn argument(index: usize) -> Ident {
    Ident::new(&"_".repeat(index + 2), Span::mixed_site())
}

/// The type of a yielding coroutine, at the path that users know: editors show it.
pub(crate) fn generator(
    renamed: Option<&TokenStream>,
    waits: bool,
    boxed: bool,
    send: bool,
) -> TokenStream {
    let facade = facade(renamed);
    let name = match (waits, boxed, send) {
        (false, false, _) => "Generator",
        (true, false, _) => "AsyncGenerator",
        (false, true, false) => "BoxGenerator",
        (false, true, true) => "SendBoxGenerator",
        (true, true, false) => "BoxAsyncGenerator",
        (true, true, true) => "SendBoxAsyncGenerator",
    };
    let name = Ident::new(name, Span::call_site());
    match boxed {
        false => quote!(#facade::#name),
        true => quote!(#facade::generator::#name),
    }
}

/// The function that makes a value of the [`generator`] type.
pub(crate) fn constructor(waits: bool, boxed: bool, send: bool) -> Ident {
    let name = match (waits, boxed, send) {
        (false, false, _) => "generator",
        (true, false, _) => "async_generator",
        (false, true, false) => "generator_boxed",
        (false, true, true) => "generator_boxed_send",
        (true, true, false) => "async_generator_boxed",
        (true, true, true) => "async_generator_boxed_send",
    };
    Ident::new(name, Span::call_site())
}
