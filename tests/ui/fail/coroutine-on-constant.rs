#[coro::coroutine]
pub const ONE: u32 = 1;

fn main() {}
