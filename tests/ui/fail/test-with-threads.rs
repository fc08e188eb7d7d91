#[coro::test(threads = 2)]
async fn works() {}

fn main() {}
