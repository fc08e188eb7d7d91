#[coro::main(crate = threads)]
fn main() {}
