use coro::{yield_, yield_from};

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_from!(words());
}

#[coro::coroutine(yields = &'static str)]
fn words() {
    yield_!("one");
}

fn main() {}
