#[coro::main(tokio)]
async fn main() {}
