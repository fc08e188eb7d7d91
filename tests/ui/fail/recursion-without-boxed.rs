use coro::yield_from;

#[coro::coroutine]
fn sum(n: u32) -> u32 {
    if n == 0 { 0 } else { n + yield_from!(sum(n - 1)) }
}

fn main() {}
