use coro::yield_from;

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_from!(vec![1, 2]);
}

fn main() {}
