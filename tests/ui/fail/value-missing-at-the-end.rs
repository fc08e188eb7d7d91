use coro::yield_from;
use std::future::ready;

#[coro::coroutine]
fn answer() -> u32 {
    yield_from!(ready(42));
}

fn main() {}
