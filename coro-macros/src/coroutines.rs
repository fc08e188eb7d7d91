//! The attribute around many coroutines.

use proc_macro2::TokenStream;

/// Expands `#[coro::coroutines(args)] item`.
pub(crate) fn expand(_args: TokenStream, item: TokenStream) -> TokenStream {
    item
}
