use coro::yield_;

#[coro::coroutine(yields = u32, resumes = u32)]
fn numbers() {
    yield_!(1);
}

fn main() {
    for number in numbers() {
        drop(number);
    }
}
