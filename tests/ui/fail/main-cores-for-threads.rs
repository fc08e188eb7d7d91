use coro::cores::Core;

#[coro::main(cores = 2)]
async fn main(_: Core) {}
