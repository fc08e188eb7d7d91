//! The expansion of an item that was refused.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::Error;

/// The errors, followed by the item. The caller has removed the mistakes from the item, so that one
/// mistake gives one message.
pub(crate) fn report(errors: Option<Error>, item: TokenStream) -> TokenStream {
    let errors = errors.map(Error::into_compile_error);
    quote!(#errors #item)
}

/// The expansion of an item that is not a function: an error, with the item unchanged.
pub(crate) fn not_a_function(attribute: &str, error: Error, item: TokenStream) -> TokenStream {
    let is_container = |tree| match tree {
        TokenTree::Ident(word) => word == "impl" || word == "trait" || word == "mod",
        _ => false,
    };
    let instead = match item.clone().into_iter().any(is_container) {
        true => "; to prepare all that is in here, write `#[coro::coroutines]`",
        false => "",
    };
    let message = format!("`{attribute}` goes on a function{instead} ({error})");
    report(Some(Error::new(error.span(), message)), item)
}
