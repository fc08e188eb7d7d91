use coro::yield_;

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_!(1);
}

fn main() {
    coro::run(numbers());
}
