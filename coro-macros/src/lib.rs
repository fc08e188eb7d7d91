//! The attributes of `coro`.
//!
//! They are documented where users meet them: on the re-exports of the crate `coro`.

mod args;
mod arguments;
mod block;
mod body;
mod check;
mod coroutine;
mod coroutines;
mod corrections;
mod entry;
mod fallback;
mod item;
mod lifetimes;
mod misplaced;
mod names;
mod reading;
mod rewritten;
mod tokens;

#[cfg(test)]
mod expansion;
#[cfg(test)]
mod half_typed;
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

/// A generator as a block; see `coro::generator!`.
#[proc_macro]
pub fn generator(tokens: TokenStream) -> TokenStream {
    block::expand(tokens.into()).into()
}
