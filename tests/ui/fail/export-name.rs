#[coro::coroutine]
#[unsafe(export_name = "other")]
pub fn symbol() {}

fn main() {}
