#[coro::coroutine]
pub struct Point {
    pub x: u32,
}

fn main() {}
