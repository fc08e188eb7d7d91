#[coro::coroutine("send")]
pub fn work() {}

fn main() {}
