use coro::coroutine;

#[coroutine]
fn work() {}

fn main() {}
