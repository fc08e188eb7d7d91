use coro::yield_from;

async fn work() -> u32 {
    1
}

fn prepared() -> Result<impl Future<Output = u32>, String> {
    Ok(work())
}

#[coro::coroutine]
fn both() -> Result<u32, String> {
    Ok(yield_from!(prepared()))
}

fn main() {
    coro::run(both()).unwrap();
}
