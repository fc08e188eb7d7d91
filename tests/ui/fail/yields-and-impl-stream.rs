use coro::yield_;

#[coro::coroutine(yields = u32)]
async fn numbers() -> impl futures::Stream<Item = u32> {
    yield_!(1);
}

fn main() {
    let _ = numbers();
}
