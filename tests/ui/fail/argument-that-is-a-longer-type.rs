use coro::yield_;

#[coro::coroutine(Option<&'static str>)]
fn names() {
    yield_!(Some("a"));
}

fn main() {
    names().into_iter().for_each(drop);
}
