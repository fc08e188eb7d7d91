#[coro::coroutine]
fn numbers() {
    for i in 0..3 {
        yield i;
    }
}

fn main() {
    coro::run(numbers());
}
