use coro::yield_;

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_!("one");
}

fn main() {}
