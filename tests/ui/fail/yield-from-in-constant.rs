#[coro::coroutine]
fn sum() -> u32 {
    const ONE: u32 = coro::yield_from!(std::future::ready(1));
    ONE
}

fn main() {}
