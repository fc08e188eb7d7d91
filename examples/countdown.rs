//! Several coroutines that wait at the same time, each for its own number of seconds.
//!
//! ```text
//! $ cargo run --example countdown
//! task one sleeping for: 3 seconds
//! task two sleeping for: 1 seconds
//! task three sleeping for: 2 seconds
//! task two is finished
//! task three is finished
//! task one is finished
//! ```
//!
//! The whole program takes three seconds, not six. With `-- 0.1` after the command it takes 0.3.

mod support;

use coro::{gather, sleep, yield_from};
use support::seconds;

#[coro::coroutine]
fn my_coroutine(task_name: &str, seconds_to_sleep: u32) {
    println!("{task_name} sleeping for: {seconds_to_sleep} seconds");
    yield_from!(sleep(seconds(f64::from(seconds_to_sleep))));
    println!("{task_name} is finished");
}

#[coro::main]
fn main() {
    support::check_arguments();
    yield_from!(gather([
        my_coroutine("task one", 3),
        my_coroutine("task two", 1),
        my_coroutine("task three", 2),
    ]));
}
