use coro::yield_;

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_!(1);
}

fn main() {
    numbers().map(|n| n + 1).for_each(drop);
}
