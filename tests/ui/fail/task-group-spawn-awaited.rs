#[coro::main]
async fn main() {
    let group = coro::TaskGroup::new();
    group.spawn(async { 1 }).await;
}
