//! The attributes of `coro`.
//!
//! They are documented where users meet them: on the re-exports of the crate `coro`.

mod args;
mod arguments;
mod awaits;
mod body;
mod check;
mod coroutine;
mod coroutines;
mod entry;
mod fallback;
mod item;
mod lifetimes;
mod misplaced;
mod names;
mod rewritten;
mod tokens;

#[cfg(test)]
mod expansion;
#[cfg(test)]
mod mutations;

use proc_macro::TokenStream;

/// Turns a function into a coroutine; see `coro::coroutine`.
#[proc_macro_attribute]
pub fn coroutine(args: TokenStream, item: TokenStream) -> TokenStream {
    coroutine::expand(args.into(), item.into()).into()
}

/// Lets the bare `#[coroutine]` be written inside; see `coro::coroutines`.
#[proc_macro_attribute]
pub fn coroutines(args: TokenStream, item: TokenStream) -> TokenStream {
    coroutines::expand(args.into(), item.into()).into()
}

/// Runs `main` on an event loop; see `coro::main`.
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand_main(args.into(), item.into()).into()
}

/// Runs a test on an event loop; see `coro::test`.
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::expand_test(args.into(), item.into()).into()
}
