//! An `unsafe fn` stays unsafe to call; its body is as safe as the edition says.

#![deny(warnings, unused, unsafe_op_in_unsafe_fn)]

use coro::{yield_, yield_from};
use std::future::ready;

/// # Safety
///
/// `x` must point to a number.
#[coro::coroutine]
unsafe fn plain(x: *const u32) -> u32 {
    yield_from!(ready(()));
    // SAFETY: the caller promises that `x` points to a number. The same holds below.
    unsafe { *x }
}

#[coro::coroutine]
async unsafe fn already_async(x: *const u32) -> u32 {
    // SAFETY: see above.
    unsafe { plain(x) }.await
}

#[coro::coroutine(boxed)]
unsafe fn boxed(x: *const u32) -> u32 {
    // SAFETY: see above.
    yield_from!(unsafe { plain(x) })
}

#[coro::coroutine(yields = u32)]
unsafe fn generator(x: *const u32) {
    // SAFETY: see above.
    yield_!(unsafe { *x });
}

#[coro::main]
fn main() {
    let x = 5;
    // SAFETY: each future and generator ends before `x` does.
    assert_eq!(unsafe { plain(&x) }.await, 5);
    assert_eq!(yield_from!(unsafe { already_async(&x) }), 5);
    assert_eq!(yield_from!(unsafe { boxed(&x) }), 5);
    assert_eq!(unsafe { generator(&x) }.into_iter().collect::<Vec<_>>(), [5]);
}
