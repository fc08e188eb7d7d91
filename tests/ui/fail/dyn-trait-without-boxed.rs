trait Shape {
    #[coro::coroutine]
    fn area(&self) -> u32;
}

fn total(_: &dyn Shape) {}

fn main() {}
