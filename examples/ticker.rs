//! Streams that are async generators, combined by `futures::StreamExt`.
//!
//! ```text
//! $ cargo run --example ticker
//! tick 1
//! tick 2
//! tick 3
//! A1 A2 B1 A3 A4
//! 1 2 4 8 16 32 gave up after 6 attempts
//! ```
//!
//! An `async fn` generator both awaits and yields. It is a stream, so all stream combinators work
//! on it. With `-- 0.1` after the command everything is ten times as fast.

mod support;

use coro::{sleep, yield_, yield_from};
use futures::stream::{self, StreamExt};
use support::seconds;

/// 1, 2, 3 and so on, each after `period` seconds.
#[coro::coroutine(yields = u32)]
async fn ticks(period: f64) {
    for n in 1.. {
        sleep(seconds(period)).await;
        yield_!(n);
    }
}

/// As [`ticks`], with a name.
#[coro::coroutine(yields = String)]
async fn named(name: &str, period: f64) {
    let named = ticks(period).map(|n| format!("{name}{n}"));
    yield_from!(named);
}

/// The delay before each attempt: a generator that does not wait itself.
#[coro::coroutine(yields = u32)]
fn doubling(mut delay: u32, limit: u32) {
    while delay <= limit {
        yield_!(delay);
        delay *= 2;
    }
}

/// Waits longer and longer between attempts. Yields each delay when it is over.
#[coro::coroutine(yields = u32)]
async fn attempts() -> usize {
    let mut made = 0;
    for delay in doubling(1, 32) {
        yield_from!(sleep(seconds(f64::from(delay) / 100.0)));
        yield_!(delay);
        made += 1;
    }
    made
}

#[coro::main]
async fn main() {
    support::check_arguments();

    ticks(0.2)
        .take(3)
        .for_each(async |n| println!("tick {n}"))
        .await;

    let (fast, slow) = (Box::pin(named("A", 0.2)), Box::pin(named("B", 0.5)));
    let both: Vec<String> = stream::select(fast, slow).take(5).collect().await;
    println!("{}", both.join(" "));

    // A generator that returns a value is no stream; its steps are futures.
    let mut attempts = Box::pin(attempts());
    let mut step = attempts.as_mut().start().await;
    let made = loop {
        match step {
            coro::CoroutineState::Yielded(delay) => print!("{delay} "),
            coro::CoroutineState::Complete(made) => break made,
        }
        step = attempts.as_mut().resume(()).await;
    };
    println!("gave up after {made} attempts");
}
