#[coro::test(real, real)]
fn works() {}

fn main() {}
