//! Iterators, two-way coroutines, streams: each against its hand-written form.

mod hand;
mod ours;
mod peers;

use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use coro::CoroutineState::Yielded;
use coro::{Coroutine, Generator};
use futures::Stream;

use crate::harness::{Bound, Case, Effort, Reading, Role, Sample, Suite, time};

const STRUCT: &str = "hand-written struct";
const ENUM: &str = "hand-written state enum";
const BOXED: &str = "coro, in a `for`";
const PINNED: &str = "coro, pinned";

const ITEMS: u64 = 20_000_000;

pub(crate) fn suite() -> Suite {
    Suite::new(
        "generator",
        "one item, against a state machine written by hand",
    )
    .case(inlined())
    .case(folded())
    .case(dynamic())
    .case(sending())
    .case(streamed())
    .case(size())
}

/// The compiler sees loop and generator as one function, but `black_box` keeps it from folding the
/// items.
fn inlined() -> Case {
    Case::new("iterate, inlined", STRUCT)
        .subject(STRUCT, Role::Floor, |effort| each(effort, hand::Count::new))
        .subject(ENUM, Role::Floor, |effort| each(effort, hand::State::new))
        .subject("std::iter::from_fn", Role::Floor, |effort| {
            each(effort, hand::from_fn)
        })
        .subject(BOXED, Role::Coro, |effort| each(effort, ours::count))
        .subject(PINNED, Role::Coro, |effort| {
            time(effort.count(ITEMS), || {
                opaque_sum(pin!(ours::count(black_box(effort.count(ITEMS)))).iter())
            })
        })
        .subject("genawaiter, rc", Role::Peer, |effort| {
            each(effort, peers::genawaiter)
        })
        .subject("async-stream", Role::Peer, |effort| {
            time(effort.count(ITEMS), || {
                polled(pin!(peers::async_stream(black_box(effort.count(ITEMS)))))
            })
        })
        .subject("fauxgen", Role::Peer, |effort| {
            each(effort, |items| Box::pin(peers::fauxgen(items)))
        })
        .subject("next-gen", Role::Peer, |effort| {
            time(effort.count(ITEMS), || {
                peers::next_gen_sum(black_box(effort.count(ITEMS)))
            })
        })
        .subject("corosensei", Role::Peer, |effort| {
            each(effort, peers::corosensei)
        })
        .goal(Bound::Times(1.15, STRUCT))
        .goal(Bound::AheadOfPeers(1.0))
}

fn each<I: IntoIterator<Item = u64>>(effort: &Effort, make: impl Fn(u64) -> I) -> Sample {
    let items = effort.count(ITEMS);
    time(items, || opaque_sum(make(black_box(items))))
}

#[inline(always)] // to make one function of the loop and its iterator
fn opaque_sum(items: impl IntoIterator<Item = u64>) -> u64 {
    let mut sum = 0_u64;
    for item in items {
        sum = sum.wrapping_add(black_box(item));
    }
    sum
}

/// The same without `black_box`, so that the optimiser makes a formula of the whole loop.
fn folded() -> Case {
    fn sum<I: IntoIterator<Item = u64>>(effort: &Effort, make: impl Fn(u64) -> I) -> Sample {
        let items = effort.count(ITEMS);
        time(items, || {
            let mut sum = 0_u64;
            for item in make(black_box(items)) {
                sum = sum.wrapping_add(item);
            }
            sum
        })
    }
    Case::new("a plain sum, which folds", STRUCT)
        .subject(STRUCT, Role::Floor, |effort| sum(effort, hand::Count::new))
        .subject(BOXED, Role::Coro, |effort| sum(effort, ours::count))
        .subject("genawaiter, rc", Role::Peer, |effort| {
            sum(effort, peers::genawaiter)
        })
        .subject("corosensei", Role::Peer, |effort| {
            sum(effort, peers::corosensei)
        })
        .goal(Bound::AtMost(0.001))
}

/// One indirect call for each item.
fn dynamic() -> Case {
    fn sum<I: Iterator<Item = u64>>(effort: &Effort, make: impl Fn(u64) -> I) -> Sample {
        let items = effort.count(ITEMS);
        time(items, || drain(black_box(&mut make(black_box(items)))))
    }
    #[inline(never)]
    fn drain(items: &mut dyn Iterator<Item = u64>) -> u64 {
        let mut sum = 0_u64;
        for item in items {
            sum = sum.wrapping_add(item);
        }
        sum
    }
    Case::new("through &mut dyn Iterator", ENUM)
        .subject(STRUCT, Role::Floor, |effort| sum(effort, hand::Count::new))
        .subject(ENUM, Role::Floor, |effort| sum(effort, hand::State::new))
        .subject(BOXED, Role::Coro, |effort| {
            sum(effort, |items| ours::count(items).into_iter())
        })
        .subject(PINNED, Role::Coro, |effort| {
            time(effort.count(ITEMS), || {
                let generator = pin!(ours::count(black_box(effort.count(ITEMS))));
                drain(black_box(&mut generator.iter()))
            })
        })
        .subject("genawaiter, rc", Role::Peer, |effort| {
            sum(effort, |items| peers::genawaiter(items).into_iter())
        })
        .subject("fauxgen", Role::Peer, |effort| {
            sum(effort, |items| Box::pin(peers::fauxgen(items)))
        })
        .subject("corosensei", Role::Peer, |effort| {
            sum(effort, peers::corosensei)
        })
        .goal(Bound::Times(1.5, ENUM))
}

/// A number in, a number out.
fn sending() -> Case {
    Case::new("send a u64, get a u64", ENUM)
        .subject(ENUM, Role::Floor, |effort| {
            let items = effort.count(ITEMS);
            time(items, || {
                let mut adder = hand::Adder::new(black_box(items));
                let mut sum = adder.start();
                while let Some(so_far) = sum {
                    sum = adder.send(black_box(so_far ^ 1));
                }
            })
        })
        .subject("coro", Role::Coro, |effort| {
            let items = effort.count(ITEMS);
            time(items, || {
                let mut adder = pin!(ours::adder(black_box(items)));
                let mut state = adder.as_mut().start();
                while let Yielded(so_far) = state {
                    state = adder.as_mut().resume(black_box(so_far ^ 1));
                }
            })
        })
        .subject("genawaiter, rc", Role::Peer, |effort| {
            let items = effort.count(ITEMS);
            time(items, || peers::genawaiter_adder(black_box(items)))
        })
        .subject("corosensei", Role::Peer, |effort| {
            let items = effort.count(ITEMS);
            time(items, || peers::corosensei_adder(black_box(items)))
        })
        .goal(Bound::Times(1.2, ENUM))
}

/// The same items from an iterator, and from a stream that could wait between them.
fn streamed() -> Case {
    const ITERATOR: &str = "coro, an iterator";
    Case::new("as a stream", ITERATOR)
        .subject(ITERATOR, Role::Floor, |effort| each(effort, ours::count))
        .subject("coro, a stream", Role::Coro, |effort| {
            time(effort.count(ITEMS), || {
                polled(pin!(ours::stream(black_box(effort.count(ITEMS)))))
            })
        })
        .subject("async-stream", Role::Peer, |effort| {
            time(effort.count(ITEMS), || {
                polled(pin!(peers::async_stream(black_box(effort.count(ITEMS)))))
            })
        })
        .goal(Bound::Times(1.3, ITERATOR))
        .goal(Bound::AheadOfPeers(1.0))
}

#[inline(always)]
fn polled(mut stream: Pin<&mut impl Stream<Item = u64>>) -> u64 {
    let mut cx = Context::from_waker(Waker::noop());
    let mut sum = 0_u64;
    while let Poll::Ready(Some(item)) = stream.as_mut().poll_next(&mut cx) {
        sum = sum.wrapping_add(black_box(item));
    }
    sum
}

/// The size of a suspended generator beyond its body.
fn size() -> Case {
    fn beyond<Y, R, F>(generator: &Generator<Y, R, F>) -> Sample {
        let bytes = size_of_val(generator) - size_of::<F>();
        Ok(vec![Reading::one("", "bytes", bytes as f64)])
    }
    Case::new("size beyond the body", "coro, an iterator")
        .subject("coro, an iterator", Role::Coro, |_| beyond(&ours::count(0)))
        .subject("coro, two ways", Role::Coro, |_| beyond(&ours::adder(0)))
        .goal(Bound::AtMost(16.0))
}
