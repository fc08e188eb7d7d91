use coro::yield_from;
use std::future::ready;

#[coro::main]
#[coro::coroutine]
fn main() {
    yield_from!(ready(()));
}
