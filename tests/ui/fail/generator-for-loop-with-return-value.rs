use coro::yield_;

#[coro::coroutine(yields = u32)]
fn numbers() -> u32 {
    yield_!(1);
    2
}

fn main() {
    for number in numbers() {
        drop(number);
    }
}
