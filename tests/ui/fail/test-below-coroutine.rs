use coro::yield_from;
use std::future::ready;

#[coro::coroutine]
#[test]
fn works() {
    yield_from!(ready(()));
}

fn main() {}
