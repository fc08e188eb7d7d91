#![deny(unused_must_use)]

use coro::yield_from;

#[coro::coroutine]
fn work() -> Result<(), String> {
    Ok(())
}

#[coro::main]
fn main() {
    yield_from!(work());
}
