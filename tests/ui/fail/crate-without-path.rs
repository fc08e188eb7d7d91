#[coro::coroutine(crate)]
pub fn work() {}

fn main() {}
