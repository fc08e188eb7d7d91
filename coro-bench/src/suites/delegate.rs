//! An item that a coroutine yields through a chain of boxed delegations.

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use coro::{yield_, yield_from};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use futures::Stream;

use crate::harness::{Bound, Case, Effort, Reading, Role, Sample, Suite, time};

const BY_HAND: &str = "Box<dyn Iterator>";
const OURS: &str = "yield_from!";

pub(crate) fn suite() -> Suite {
    Suite::new(
        "delegate",
        "one item of a recursive coroutine, through boxes",
    )
    .case(case("1 deep", 1))
    .case(case("8 deep", 8))
    .case(case("64 deep", 64))
    .case(growth())
}

fn case(name: &'static str, depth: u32) -> Case {
    Case::new(name, BY_HAND)
        .subject(BY_HAND, Role::Floor, move |effort| {
            each(effort, depth, by_hand)
        })
        .subject(OURS, Role::Coro, move |effort| each(effort, depth, ours))
        .subject("genawaiter, rc", Role::Peer, move |effort| {
            each(effort, depth, genawaiter)
        })
        .subject("async-stream", Role::Peer, move |effort| {
            each(effort, depth, |items, depth| {
                Polled(async_stream(items, depth))
            })
        })
        .subject("corosensei, plain calls", Role::Peer, move |effort| {
            each(effort, depth, corosensei)
        })
        .goal(Bound::AtMost(4.5))
}

fn items(effort: &Effort, depth: u32) -> u64 {
    effort.count(10_000_000 / u64::from(depth))
}

fn each<I: Iterator<Item = u64>>(
    effort: &Effort,
    depth: u32,
    make: impl Fn(u64, u32) -> I,
) -> Sample {
    let items = items(effort, depth);
    time(items, || sum(make(black_box(items), black_box(depth))))
}

fn sum(items: impl Iterator<Item = u64>) -> u64 {
    let mut sum = 0_u64;
    for item in items {
        sum = sum.wrapping_add(item);
    }
    sum
}

/// How many times longer an item takes 64 deep than 1 deep.
fn growth() -> Case {
    Case::new("64 deep by 1 deep", OURS)
        .subject(BY_HAND, Role::Floor, |effort| ratio(effort, by_hand))
        .subject(OURS, Role::Coro, |effort| ratio(effort, ours))
        .goal(Bound::AtMost(1.2))
}

fn ratio<I: Iterator<Item = u64>>(effort: &Effort, make: impl Fn(u64, u32) -> I) -> Sample {
    let items = items(effort, 64);
    let seconds = |depth| {
        let begin = Instant::now();
        black_box(sum(make(black_box(items), black_box(depth))));
        begin.elapsed().as_secs_f64()
    };
    let ratios = (0..10).map(|_| seconds(64) / seconds(1)).collect();
    Ok(vec![Reading::new("", "times", ratios)])
}

#[coro::coroutine(yields = u64, boxed)]
fn ours(items: u64, depth: u32) {
    match depth {
        1 => {
            for item in 0..items {
                yield_!(item);
            }
        }
        _ => yield_from!(ours(items, depth - 1)),
    }
}

/// Passes items on, as a recursive iterator has to.
struct Outer(Box<dyn Iterator<Item = u64>>);

impl Iterator for Outer {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0.next()
    }
}

fn by_hand(items: u64, depth: u32) -> Box<dyn Iterator<Item = u64>> {
    match depth {
        1 => Box::new(0..items),
        _ => Box::new(Outer(by_hand(items, depth - 1))),
    }
}

fn genawaiter(items: u64, depth: u32) -> Box<dyn Iterator<Item = u64>> {
    let generator = genawaiter::rc::Gen::new(|co| async move {
        match depth {
            1 => {
                for item in 0..items {
                    co.yield_(item).await;
                }
            }
            _ => {
                for item in genawaiter(items, depth - 1) {
                    co.yield_(item).await;
                }
            }
        }
    });
    Box::new(generator.into_iter())
}

fn async_stream(items: u64, depth: u32) -> Pin<Box<dyn Stream<Item = u64>>> {
    Box::pin(async_stream::stream! {
        match depth {
            1 => {
                for item in 0..items {
                    yield item;
                }
            }
            _ => {
                for await item in async_stream(items, depth - 1) {
                    yield item;
                }
            }
        }
    })
}

/// A stream that never waits, as an iterator.
struct Polled<S>(S);

impl<S: Stream + Unpin> Iterator for Polled<S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut self.0).poll_next(&mut cx) {
            Poll::Ready(item) => item,
            Poll::Pending => unreachable!("it never waits"),
        }
    }
}

/// A coroutine with a stack needs no delegation: it simply calls.
fn corosensei(items: u64, depth: u32) -> impl Iterator<Item = u64> {
    fn call(yielder: &Yielder<(), u64>, items: u64, depth: u32) {
        match depth {
            1 => (0..items).for_each(|item| yielder.suspend(item)),
            _ => call(yielder, items, black_box(depth - 1)),
        }
    }
    let mut coroutine = Coroutine::new(move |yielder, ()| call(yielder, items, depth));
    std::iter::from_fn(move || match coroutine.resume(()) {
        CoroutineResult::Yield(item) => Some(item),
        CoroutineResult::Return(()) => None,
    })
}
