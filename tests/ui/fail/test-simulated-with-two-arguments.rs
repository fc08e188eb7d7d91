#[coro::test(sim)]
fn works(sim: &coro::testing::Sim, host: &str) {
    let _ = (sim, host);
}

fn main() {}
