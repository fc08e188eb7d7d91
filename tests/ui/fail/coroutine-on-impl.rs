pub struct Point;

#[coro::coroutine]
impl Point {
    fn new() {}
}

fn main() {}
