#[coro::coroutine]
fn sum() {
    const { coro::yield_from!(std::future::ready(())) }
}

fn main() {}
