use coro::{Coroutine, yield_};

#[coro::coroutine(yields = u32, resumes = bool)]
fn numbers() {
    yield_!(1);
}

fn main() {
    let mut numbers = numbers();
    let _ = numbers.resume(true);
}
