//! A test in simulations, in a crate that has coro with the features that are on by default.

#[coro::test(seeds = 3)]
async fn some_orders() {}

fn main() {}
