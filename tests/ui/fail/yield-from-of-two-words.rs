use coro::yield_from;

#[coro::coroutine]
fn outer(a: std::future::Ready<u32>) {
    yield_from!(a b);
}

fn main() {
    coro::run(outer(std::future::ready(1)));
}
