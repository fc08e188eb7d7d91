//! A coroutine that waits for the value of another coroutine.
//!
//! ```text
//! $ cargo run --example chained
//! Compute 1 + 2 ...
//! 1 + 2 = 3
//! ```
//!
//! The second line comes a second after the first, or sooner with a scale such as `-- 0.1` after
//! the command.

mod support;

use coro::{sleep, yield_from};
use support::seconds;

#[coro::coroutine]
fn compute(x: i32, y: i32) -> i32 {
    println!("Compute {x} + {y} ...");
    yield_from!(sleep(seconds(1.0)));
    x + y
}

#[coro::coroutine]
fn print_sum(x: i32, y: i32) {
    let result = yield_from!(compute(x, y));
    println!("{x} + {y} = {result}");
}

#[coro::main]
fn main() {
    support::check_arguments();
    yield_from!(print_sum(1, 2));
}
