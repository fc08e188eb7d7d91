#[coro::coroutine(yields = u32)]
fn numbers() {
    coro::yield_!(std::future::ready(1).await);
}

fn main() {}
