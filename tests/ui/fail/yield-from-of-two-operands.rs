use coro::yield_from;

#[coro::coroutine]
fn outer() {
    yield_from!(std::future::ready(1), std::future::ready(2));
}

fn main() {
    coro::run(outer());
}
