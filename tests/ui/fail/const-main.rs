#[coro::main]
const fn main() {}
