use coro::{yield_, yield_from};

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_from!(questions());
}

#[coro::coroutine(yields = u32, resumes = bool)]
fn questions() {
    yield_!(1);
}

fn main() {}
