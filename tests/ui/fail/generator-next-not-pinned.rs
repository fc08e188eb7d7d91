use coro::yield_;

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_!(1);
}

fn main() {
    let mut numbers = numbers();
    numbers.next();
}
