use coro::yield_from;

#[coro::coroutine]
fn wait() {
    yield_from!([1, 2].into_iter());
}

fn main() {}
