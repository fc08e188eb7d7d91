//! Functions of every shape, as coroutines.

use coro::yield_from;
use std::future::ready;

#[coro::coroutine]
fn add(x: u32, y: &str) -> u32 {
    let z = yield_from!(ready(x)) + yield_from!(y_len(y));
    println!("{}", yield_from!(ready(z)));
    z
}
#[coro::coroutine]
async fn y_len(y: &str) -> u32 {
    ready(y.len()).await as u32
}

#[coro::test]
fn adds() {
    assert_eq!(yield_from!(add(1, "ab")), 3);
}
