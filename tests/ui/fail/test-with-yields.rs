#[coro::test(yields = u32)]
async fn works() {}

fn main() {}
