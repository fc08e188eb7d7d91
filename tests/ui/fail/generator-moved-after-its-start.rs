use std::pin::Pin;

use coro::{Coroutine, yield_};

#[coro::coroutine(yields = u32)]
fn generator() {
    yield_!(1);
}

fn main() {
    let mut generator = generator();
    _ = Pin::new(&mut generator).start();
    drop(Box::new(generator));
}
