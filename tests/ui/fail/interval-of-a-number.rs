#[coro::main]
async fn main() {
    coro::interval(1).tick().await;
}
