#[coro::main]
async fn main() {
    let group = coro::TaskGroup::new();
    let task = group.try_spawn(async { "1".parse::<u32>() });
    group.join().await.unwrap();
    drop(task);
}
