#[coro::main(priority = 4)]
fn main() {}
