#[coro::coroutine(Send)]
fn work() {}

fn main() {
    coro::run(work());
}
