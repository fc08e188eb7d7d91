use coro::{yield_, yield_from};

#[coro::coroutine(yields = u32, boxed)]
fn child() {
    yield_!(1);
}

#[coro::coroutine(yields = u32, boxed, send)]
fn parent() {
    yield_from!(child());
}

fn main() {
    drop(parent());
}
