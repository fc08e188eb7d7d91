#[coro::main(threads = 2)]
async fn main(core: coro::cores::Core, count: usize) {}
