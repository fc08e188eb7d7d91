use coro::cores::Core;

#[coro::main(threads = 2, tokio)]
async fn main(_: Core) {}
