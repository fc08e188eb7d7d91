//! A dependency under another name.

#![deny(
    warnings,
    unused,
    missing_docs,
    unused_qualifications,
    unused_results,
    unreachable_pub,
    let_underscore_drop,
    rust_2018_idioms,
    unused_lifetimes,
    unused_macro_rules
)]
#![forbid(unsafe_code)]

extern crate coro as threads;

/// The usual name means something else here.
mod coro {}

use threads::{yield_, yield_from};
use std::future::ready;

#[threads::coroutine(crate = threads)]
fn plain() -> u32 {
    yield_from!(ready(1))
}

#[threads::coroutine(boxed, crate = ::threads)]
fn boxed() -> ! {
    loop {
        yield_from!(std::future::pending::<()>());
    }
}

#[threads::coroutine(yields = u32, crate = crate::threads)]
fn generator() {
    yield_!(1);
}

#[threads::coroutines(crate = threads)]
mod inside {
    #[coroutine(yields = u32)]
    pub(crate) fn bare() {
        threads::yield_from!(super::generator())
    }
}

#[threads::test(crate = threads)]
fn test() {}

#[threads::main(crate = threads)]
fn main() {
    assert_eq!(plain().await, 1);
    drop(boxed());
    assert_eq!(inside::bare().into_iter().count(), 1);
}
