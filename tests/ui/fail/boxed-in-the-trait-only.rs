trait Shape {
    #[coro::coroutine(boxed)]
    fn area(&self) -> f64;
}

struct Square(f64);

impl Shape for Square {
    #[coro::coroutine]
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

fn main() {
    coro::run(Square(1.0).area());
}
