use coro::cores::Core;

#[coro::main(threads)]
async fn main(_: Core) {}
