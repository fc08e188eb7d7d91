#[coro::main]
struct Main;

fn main() {}
