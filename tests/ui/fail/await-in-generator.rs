#[coro::coroutine(yields = u32)]
fn numbers() {
    coro::yield_!(std::future::ready(1).await);
    println!("{}", std::future::ready(2).await);
}

fn main() {}
