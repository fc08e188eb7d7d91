//! The same iterators as `coro` coroutines.

use coro::yield_;

#[coro::coroutine(yields = u64)]
pub(super) fn count(end: u64) {
    for item in 0..end {
        yield_!(item);
    }
}

#[coro::coroutine(yields = u64)]
pub(super) async fn stream(end: u64) {
    for item in 0..end {
        yield_!(item);
    }
}

#[coro::coroutine(yields = u64, resumes = u64)]
pub(super) fn adder(count: u64) {
    let mut sum = 0_u64;
    for _ in 0..count {
        sum = sum.wrapping_add(yield_!(sum));
    }
}
