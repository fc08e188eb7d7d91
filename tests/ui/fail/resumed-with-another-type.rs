use coro::yield_;

#[coro::coroutine(yields = u32, resumes = bool)]
fn questions() {
    let answer: String = yield_!(1);
    drop(answer);
}

fn main() {}
