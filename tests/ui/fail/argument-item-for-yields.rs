use coro::yield_;

#[coro::coroutine(item = u32)]
fn numbers() {
    yield_!(1);
}

fn main() {
    numbers().into_iter().for_each(drop);
}
