#[coro::coroutine(send, send)]
pub fn work() {}

fn main() {}
