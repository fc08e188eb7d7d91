#[coro::main(real)]
async fn main() {}
