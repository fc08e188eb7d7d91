#![deny(dead_code)]

#[coro::coroutine]
fn unused() {}

fn main() {}
