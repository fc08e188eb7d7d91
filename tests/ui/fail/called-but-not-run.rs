#![deny(unused_must_use)]

#[coro::coroutine]
fn work() {}

#[coro::main]
fn main() {
    work();
}
