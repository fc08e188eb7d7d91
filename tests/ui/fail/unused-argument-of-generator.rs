#![deny(unused_variables)]

#[coro::coroutine(yields = u32)]
pub fn ignore((x, _): (u32, u32)) {}

fn main() {}
