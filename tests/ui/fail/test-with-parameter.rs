#[coro::test]
async fn works(_n: u32) {}

fn main() {}
