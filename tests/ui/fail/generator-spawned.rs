use coro::yield_;

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_!(1);
}

#[coro::main]
async fn main() {
    coro::spawn(numbers());
}
