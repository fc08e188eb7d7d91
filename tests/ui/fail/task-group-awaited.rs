#[coro::main]
async fn main() {
    let group = coro::TaskGroup::new();
    group.await;
}
