use coro::yield_;

#[coro::coroutine(yields = u32, async)]
fn numbers() {
    yield_!(1);
}

fn main() {
    let _ = numbers();
}
