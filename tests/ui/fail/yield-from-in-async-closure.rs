use coro::yield_from;
use std::future::ready;

#[coro::coroutine]
async fn sum() -> u32 {
    let one = async |x: u32| yield_from!(ready(x));
    one(1).await
}

fn main() {}
