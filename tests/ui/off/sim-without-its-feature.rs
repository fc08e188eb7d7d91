//! A simulation, in a crate that has coro with the features that are on by default.

use coro::testing::Sim;

async fn nothing_happens(_: &Sim) {}

fn main() {
    coro::testing::explore().run(nothing_happens);
}
