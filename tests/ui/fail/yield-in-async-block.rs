use coro::yield_;

#[coro::coroutine(yields = u32)]
async fn numbers() {
    async { yield_!(1) }.await
}

fn main() {}
