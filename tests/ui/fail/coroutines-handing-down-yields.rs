#[coro::coroutines(yields = u32)]
mod generators {}

fn main() {}
