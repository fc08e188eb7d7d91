//! Generators that a program in WebAssembly exports; each gives one number.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use coro::generator::AsyncCoroutine;
use coro::{Coroutine, CoroutineState, yield_, yield_from};

#[coro::coroutine(yields = u32)]
fn count(to: u32) {
    yield_from!(0..to);
}

/// 0 + 1 + 2 + 3 + 4
#[unsafe(no_mangle)]
pub extern "C" fn iterated() -> u32 {
    pin!(count(5)).iter().sum()
}

#[coro::coroutine(yields = u32, resumes = u32)]
fn running_total() -> u32 {
    let mut total = 0;
    loop {
        match yield_!(total) {
            0 => return total,
            more => total += more,
        }
    }
}

/// 7 + 8, which are sent in.
#[unsafe(no_mangle)]
pub extern "C" fn resumed() -> u32 {
    let mut total = pin!(running_total());
    assert_eq!(total.as_mut().start(), CoroutineState::Yielded(0));
    assert_eq!(total.as_mut().resume(7), CoroutineState::Yielded(7));
    assert_eq!(total.as_mut().resume(8), CoroutineState::Yielded(15));
    match total.as_mut().resume(0) {
        CoroutineState::Complete(total) => total,
        CoroutineState::Yielded(_) => 0,
    }
}

#[coro::coroutine(yields = u32, boxed)]
fn leaves(depth: u32) {
    if depth == 0 {
        yield_!(1);
    } else {
        yield_from!(leaves(depth - 1));
        yield_from!(leaves(depth - 1));
    }
}

/// The leaves of a tree of depth 10.
#[unsafe(no_mangle)]
pub extern "C" fn recursive() -> u32 {
    leaves(10).sum()
}

/// The sum of the numbers below 1000 that 3 or 5 divides, by the adaptors of iterators.
#[unsafe(no_mangle)]
pub extern "C" fn adapted() -> u32 {
    let numbers = pin!(count(1000));
    numbers.iter().filter(|n| n % 3 == 0 || n % 5 == 0).sum()
}

#[coro::coroutine(yields = u32)]
async fn waits() {
    let mut asked = 0;
    let third = poll_fn(|_| {
        asked += 1;
        if asked < 3 { Poll::Pending } else { Poll::Ready(asked) }
    });
    yield_!(yield_from!(third));
    yield_from!(count(3));
}

/// A generator that waits twice, then yields 3, 0, 1, 2; each pending poll counts 100.
#[unsafe(no_mangle)]
pub extern "C" fn awaited() -> u32 {
    let mut waits = pin!(waits());
    let cx = &mut Context::from_waker(Waker::noop());
    let mut sum = 0;
    let mut sent = Some(());
    loop {
        match waits.as_mut().poll_resume(cx, &mut sent) {
            Poll::Pending => sum += 100,
            Poll::Ready(CoroutineState::Yielded(n)) => {
                sum += n;
                sent = Some(());
            }
            Poll::Ready(CoroutineState::Complete(())) => return sum,
        }
    }
}

struct Counts<'a>(&'a Cell<u32>);

impl Drop for Counts<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[coro::coroutine(yields = u32)]
fn holds(drops: &Cell<u32>) {
    let _outer = Counts(drops);
    loop {
        let _inner = Counts(drops);
        yield_!(0);
    }
}

/// What a suspended generator holds is dropped with it: two values of the last round, one of the first.
#[unsafe(no_mangle)]
pub extern "C" fn dropped() -> u32 {
    let drops = Cell::new(0);
    {
        let mut holds = pin!(holds(&drops));
        assert_eq!(holds.as_mut().iter().take(2).count(), 2);
    }
    drops.get()
}
