#[coro::coroutine(send boxed)]
pub fn work() {}

fn main() {}
