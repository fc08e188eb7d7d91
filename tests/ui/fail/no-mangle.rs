#[coro::coroutine]
#[unsafe(no_mangle)]
pub fn symbol() {}

fn main() {}
