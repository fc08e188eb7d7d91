use coro::yield_from;
use std::future::ready;

#[tracing::instrument]
#[coro::coroutine]
fn length(text: &str) -> usize {
    yield_from!(ready(text.len()))
}

#[tracing::instrument]
#[coro::coroutine]
async fn length_later(text: &str) -> usize {
    yield_from!(ready(text.len())) + yield_from!(ready(0))
}

fn main() {}
