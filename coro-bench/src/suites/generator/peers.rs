//! The same iterators in genawaiter, async_stream, fauxgen, next_gen, corosensei.

use std::hint::black_box;

use ::corosensei::{Coroutine, CoroutineResult};
use ::genawaiter::GeneratorState;
use ::genawaiter::rc::Gen;
use ::next_gen::prelude::*;
use futures::Stream;

pub(super) fn genawaiter(end: u64) -> Gen<u64, (), impl Future<Output = ()>> {
    Gen::new(|co| async move {
        for item in 0..end {
            co.yield_(item).await;
        }
    })
}

pub(super) fn genawaiter_adder(count: u64) {
    let mut adder = Gen::new(|co| async move {
        let mut sum = 0_u64;
        for _ in 0..count {
            sum = sum.wrapping_add(co.yield_(sum).await);
        }
    });
    let mut state = adder.resume_with(0);
    while let GeneratorState::Yielded(so_far) = state {
        state = adder.resume_with(black_box(so_far ^ 1));
    }
}

pub(super) fn async_stream(end: u64) -> impl Stream<Item = u64> {
    ::async_stream::stream! {
        for item in 0..end {
            yield item;
        }
    }
}

#[::fauxgen::generator(yield = u64)]
pub(super) fn fauxgen(end: u64) {
    for item in 0..end {
        r#yield!(item);
    }
}

#[generator(yield(u64))]
fn next_gen(end: u64) {
    for item in 0..end {
        yield_!(item);
    }
}

pub(super) fn next_gen_sum(end: u64) -> u64 {
    let mut sum = 0_u64;
    mk_gen!(let generator = box next_gen(end));
    for item in generator {
        sum = sum.wrapping_add(black_box(item));
    }
    sum
}

pub(super) fn corosensei(end: u64) -> impl Iterator<Item = u64> {
    let mut coroutine = Coroutine::new(move |yielder, ()| {
        for item in 0..end {
            yielder.suspend(item);
        }
    });
    std::iter::from_fn(move || match coroutine.resume(()) {
        CoroutineResult::Yield(item) => Some(item),
        CoroutineResult::Return(()) => None,
    })
}

pub(super) fn corosensei_adder(count: u64) {
    let mut adder = Coroutine::new(move |yielder, _| {
        let mut sum = 0_u64;
        for _ in 0..count {
            sum = sum.wrapping_add(yielder.suspend(sum));
        }
    });
    let mut state = adder.resume(0);
    while let CoroutineResult::Yield(so_far) = state {
        state = adder.resume(black_box(so_far ^ 1));
    }
}
