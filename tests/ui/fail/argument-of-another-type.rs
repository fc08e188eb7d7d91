use coro::yield_from;

#[coro::coroutine]
fn double(x: u32) -> u32 {
    x * 2
}

#[coro::main]
fn main() {
    yield_from!(double("one"));
}
