#[coro::coroutines]
pub fn work() {}

fn main() {}
