#[coro::coroutine]
mod inner {}

fn main() {}
