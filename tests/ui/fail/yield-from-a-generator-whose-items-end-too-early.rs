use coro::{yield_, yield_from};

#[coro::coroutine(yields = &'a str)]
fn short<'a>(text: &'a str) {
    yield_!(text);
}

#[coro::coroutine(yields = &'static str)]
fn long(text: &str) {
    yield_from!(short(text));
}

fn main() {
    long("x").into_iter().for_each(drop);
}
