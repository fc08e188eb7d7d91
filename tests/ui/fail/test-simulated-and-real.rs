#[coro::test(real, seeds = 10)]
fn works() {}

fn main() {}
