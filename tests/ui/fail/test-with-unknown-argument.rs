#[coro::test(fast)]
fn works() {}

fn main() {}
