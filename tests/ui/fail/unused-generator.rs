#![deny(dead_code)]

#[coro::coroutine(yields = u32)]
fn unused() {}

fn main() {}
