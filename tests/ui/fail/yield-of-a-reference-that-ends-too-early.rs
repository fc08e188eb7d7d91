use coro::yield_;

#[coro::coroutine(yields = &'static str)]
fn lengthens(text: &str) {
    yield_!(text);
}

fn main() {
    lengthens("text").into_iter().for_each(drop);
}
