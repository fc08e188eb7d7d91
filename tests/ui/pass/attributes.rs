//! Attributes on coroutines.

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

use coro::{yield_, yield_from};
use std::future::ready;

/// Documented.
#[coro::coroutine]
/// On both sides.
#[inline]
#[must_use]
#[doc(hidden)]
pub(crate) fn decorated() -> u32 {
    yield_from!(ready(1))
}

#[cfg_attr(all(), coro::coroutine)]
fn conditional() -> u32 {
    yield_from!(ready(2))
}

#[cfg_attr(any(), coro::coroutine)]
fn never() -> u32 {
    3
}

#[cfg(any())]
#[coro::coroutine]
fn configured_away() -> NoSuchType {
    no_such_function()
}

#[coro::coroutine]
#[cfg(any())]
fn configured_away_below() -> NoSuchType {
    no_such_function()
}

#[coro::coroutine]
#[deprecated(note = "for the test")]
fn deprecated() -> u32 {
    yield_from!(ready(4))
}

#[coro::coroutine]
#[cold]
#[inline(never)]
#[allow(dead_code)]
fn unused() {}

#[coro::coroutine]
#[expect(unused_variables)]
fn expecting(x: u32) {}

#[coro::coroutine(send)]
#[expect(unused_variables)]
fn expecting_sent(x: u32) {}

#[coro::coroutine(yields = u32)]
#[expect(unused_variables)]
#[must_use]
fn expecting_generator(x: u32) {
    yield_!(1)
}

#[coro::coroutine()]
fn without_arguments() {}

#[coro::coroutine(yields = u8, resumes = u8, send, crate = coro,)]
#[allow(dead_code)]
fn all_arguments() {}

#[coro::main]
#[allow(deprecated)]
fn main() {
    assert_eq!(decorated().await, 1);
    assert_eq!(conditional().await, 2);
    assert_eq!(never(), 3);
    assert_eq!(deprecated().await, 4);
    expecting(1).await;
    expecting_sent(1).await;
    drop(expecting_generator(1));
    without_arguments().await;
}
