use coro::yield_from;

#[coro::coroutine(yields = u32, resumes = bool)]
fn questions() {
    yield_from!(0..3);
}

fn main() {}
