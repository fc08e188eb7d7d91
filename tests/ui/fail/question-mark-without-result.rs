use coro::yield_from;
use std::future::ready;

#[coro::coroutine]
fn number(text: &str) -> u32 {
    yield_from!(ready(text.parse::<u32>()))?
}

fn main() {}
