#[coro::main(yields = u32)]
async fn main() {}
