use coro::yield_;

#[coro::coroutine(yields = u32)]
async fn joins() {
    futures::future::join(async { yield_!(1) }, async { yield_!(2) }).await;
}

fn main() {
    drop(joins());
}
