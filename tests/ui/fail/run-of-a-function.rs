#[coro::coroutine]
fn work() {}

fn main() {
    coro::run(work);
}
