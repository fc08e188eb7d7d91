#[coro::coroutine(send = true)]
pub fn work() {}

fn main() {}
