async fn one() -> u32 {
    1
}

#[coro::main]
async fn main() {
    coro::race(one(), one()).await;
}
