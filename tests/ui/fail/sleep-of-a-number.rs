#[coro::main]
async fn main() {
    coro::sleep(1.5).await;
}
