use coro::yield_from;
use std::future::ready;

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_from!(ready(()));
}

fn main() {}
