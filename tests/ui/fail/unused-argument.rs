#![deny(unused_variables)]

#[coro::coroutine]
pub fn ignore(x: u32) {}

fn main() {}
