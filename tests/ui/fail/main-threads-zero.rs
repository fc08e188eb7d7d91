use coro::cores::Core;

#[coro::main(threads = 0)]
async fn main(_: Core) {}
