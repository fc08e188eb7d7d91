use coro::yield_from;
use std::future::ready;

#[coro::coroutine]
fn sum() -> u32 {
    let one = async move { yield_from!(ready(1)) };
    one.await
}

fn main() {}
