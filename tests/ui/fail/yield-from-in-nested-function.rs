use coro::yield_from;
use std::future::ready;

#[coro::coroutine]
fn sum() -> u32 {
    fn one() -> u32 {
        yield_from!(ready(1))
    }
    one()
}

fn main() {}
