#[coro::coroutine(yield = u32)]
pub fn work() {}

fn main() {}
