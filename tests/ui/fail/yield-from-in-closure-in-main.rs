use coro::yield_from;
use std::future::ready;

#[coro::main]
fn main() {
    let wait = || yield_from!(ready(()));
    wait()
}
