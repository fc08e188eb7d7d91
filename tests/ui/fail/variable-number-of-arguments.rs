#[coro::coroutine]
pub unsafe fn count(_first: u32, _rest: ...) {}

fn main() {}
