#[coro::test(seeds = 1.5)]
fn works() {}

fn main() {}
