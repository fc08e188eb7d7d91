#[coro::main]
async fn main() {
    let futures = [coro::yield_now()];
    coro::gather(&futures).await;
}
