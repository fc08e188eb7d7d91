use coro::yield_from;
use std::future::ready;

#[coro::coroutine]
fn sum() -> u32 {
    let one = || yield_from!(ready(1)) + 1;
    one()
}

fn main() {}
