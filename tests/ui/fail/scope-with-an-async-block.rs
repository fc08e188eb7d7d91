#[coro::main]
async fn main() {
    coro::scope(|scope| async move { scope.spawn(async {}) }).await;
}
