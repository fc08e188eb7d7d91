use coro::yield_;

#[coro::coroutine(yields = u32, returns = u8)]
fn numbers() -> u8 {
    yield_!(1);
    2
}

fn main() {
    let _ = numbers();
}
