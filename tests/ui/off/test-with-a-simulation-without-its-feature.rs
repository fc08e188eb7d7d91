//! A test that takes its simulation, in a crate that has coro with the features that are on by default.

#[coro::test(seeds = 3)]
async fn some_delays(_: &coro::testing::Sim) {}

fn main() {}
