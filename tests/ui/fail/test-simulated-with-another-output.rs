#[coro::test(seeds = 10)]
fn works() -> u32 {
    7
}

fn main() {}
