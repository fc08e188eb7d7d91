#[coro::coroutines(boxed)]
mod generators {}

fn main() {}
