#[coro::coroutine]
unsafe fn danger() {}

#[coro::main]
fn main() {
    danger().await;
}
