#[coro::test(seeds)]
fn works() {}

#[coro::test(late = many)]
fn works_too() {}

fn main() {}
