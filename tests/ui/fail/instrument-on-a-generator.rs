#[coro::coroutine(yields = u32)]
#[tracing::instrument]
fn numbers() {
    coro::yield_!(1);
}

#[coro::coroutine(yields = u32)]
#[tracing::instrument(skip_all)]
async fn numbers_later() {
    coro::yield_!(std::future::ready(1).await);
}

#[tracing::instrument]
#[coro::coroutine(yields = u32)]
async fn above() {
    coro::yield_!(std::future::ready(1).await);
}

fn main() {}
