#[coro::coroutine(yields(u32))]
pub fn work() {}

fn main() {}
