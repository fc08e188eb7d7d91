use coro::yield_from;
use std::future::ready;

macro_rules! later {
    ($e:expr) => {
        async { $e }
    };
}

#[coro::coroutine]
fn sum() -> u32 {
    yield_from!(later!(yield_from!(ready(1))))
}

fn main() {}
