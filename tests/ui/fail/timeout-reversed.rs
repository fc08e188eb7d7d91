use std::time::Duration;

#[coro::main]
async fn main() {
    let _ = coro::timeout(std::future::ready(1), Duration::from_secs(1)).await;
}
