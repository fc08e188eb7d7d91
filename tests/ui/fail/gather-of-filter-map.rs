async fn one(n: u32) -> u32 {
    n
}

#[coro::main]
async fn main() {
    coro::gather((0..9).filter_map(|n| Some(one(n)))).await;
}
