//! A coroutine, an `async fn`, a hand-written future: each calls another.
//!
//! ```text
//! $ cargo run --example mixed
//! coroutine: asks the async fn
//!   async fn: asks the hand-written future
//!     hand-written future: polled, and asks the coroutine inside
//!       inner coroutine: waits a second
//!     hand-written future: polled, and asks the coroutine inside
//!       inner coroutine: done
//!     hand-written future: took 2 polls
//!   async fn: got 20, makes it 21
//! coroutine: got 21, and asks the hand-written future itself
//!     hand-written future: polled, and asks the coroutine inside
//!       inner coroutine: waits a second
//!     hand-written future: polled, and asks the coroutine inside
//!       inner coroutine: done
//!     hand-written future: took 2 polls
//! coroutine: 21 + 21 = 42
//! ```
//!
//! All three are futures, so each can await any other: `yield_from!` takes any of them, and
//! `.await` takes a coroutine. The two sleeps take a second each, or less with a scale such as `--
//! 0.1` after the command.

mod support;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use coro::{sleep, yield_from};
use support::seconds;

#[coro::coroutine]
fn outer() -> u32 {
    println!("coroutine: asks the async fn");
    let one = yield_from!(middle());
    println!("coroutine: got {one}, and asks the hand-written future itself");
    let other = yield_from!(Counted::new(inner(21)));
    println!("coroutine: {one} + {other} = {}", one + other);
    one + other
}

async fn middle() -> u32 {
    println!("  async fn: asks the hand-written future");
    let value = Counted::new(inner(20)).await;
    println!("  async fn: got {value}, makes it {}", value + 1);
    value + 1
}

#[coro::coroutine]
fn inner(value: u32) -> u32 {
    println!("      inner coroutine: waits a second");
    yield_from!(sleep(seconds(1.0)));
    println!("      inner coroutine: done");
    value
}

/// A hand-written future around any other future. It counts how often it is polled.
struct Counted<F> {
    future: Pin<Box<F>>,
    polls: u32,
}

impl<F: Future> Counted<F> {
    fn new(future: F) -> Self {
        Counted {
            future: Box::pin(future),
            polls: 0,
        }
    }
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        println!("    hand-written future: polled, and asks the coroutine inside");
        self.polls += 1;
        let output = ready!(self.future.as_mut().poll(cx));
        println!("    hand-written future: took {} polls", self.polls);
        Poll::Ready(output)
    }
}

#[coro::main]
fn main() {
    support::check_arguments();
    yield_from!(outer());
}
