#[coro::coroutine(path = ::coro)]
fn work() {}

fn main() {
    coro::run(work());
}
