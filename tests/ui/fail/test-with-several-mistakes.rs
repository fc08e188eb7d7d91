#[coro::test(fast, real = true, crate, "x")]
fn works() {}

fn main() {}
