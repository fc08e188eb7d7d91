use coro::yield_;

#[coro::coroutine(yields = u32)]
fn numbers() {
    (0..3).for_each(|n| yield_!(n));
}

fn main() {}
