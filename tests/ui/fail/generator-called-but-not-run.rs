#![deny(unused_must_use)]

#[coro::coroutine(yields = u32)]
fn numbers() {
    coro::yield_!(1);
}

fn main() {
    numbers();
}
