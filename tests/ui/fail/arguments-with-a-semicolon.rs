use coro::yield_;

#[coro::coroutine(yields = u32; resumes = bool)]
fn numbers() {
    let _more: bool = yield_!(1);
}

fn main() {
    let _ = numbers();
}
