#[coro::test(rael)]
async fn works() {}

fn main() {}
