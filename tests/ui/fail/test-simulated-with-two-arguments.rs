use coro::testing::Sim;

#[coro::test(sim)]
fn works(sim: &Sim, host: &str) {
    let _ = (sim, host);
}

fn main() {}
