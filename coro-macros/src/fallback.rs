//! What is printed when something was refused.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Error;

/// The errors, then an item of the same name, so that one mistake is one message.
pub(crate) fn refuse(error: Option<Error>, item: impl ToTokens) -> TokenStream {
    let error = error.map(Error::into_compile_error);
    quote!(#error #item)
}
