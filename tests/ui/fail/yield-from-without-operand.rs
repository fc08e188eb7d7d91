use coro::yield_from;

#[coro::coroutine]
fn nothing() {
    yield_from!();
}

fn main() {}
