use coro::yield_from;

#[coro::coroutine]
fn inner() -> u32 {
    1
}

#[coro::coroutine]
fn outer() -> u32 {
    yield_from!(inner)
}

fn main() {
    coro::run(outer());
}
