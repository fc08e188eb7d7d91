use coro::yield_from;

#[coro::coroutine]
fn wait() {
    yield_from!(1u32);
}

fn main() {}
