#[coro::coroutine(yields)]
pub fn work() {}

fn main() {}
