//! Spans of `#[tracing::instrument]` below ours: entered at each poll, and left in between.

#![deny(
    warnings,
    unused,
    missing_docs,
    unused_qualifications,
    unused_results,
    unreachable_pub,
    let_underscore_drop,
    rust_2018_idioms,
    unused_lifetimes,
    unused_macro_rules
)]
#![forbid(unsafe_code)]

use coro::yield_from;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicI32, Ordering};
use std::task::{Context, Poll, Waker};
use tracing::span;

static ENTERED: AtomicI32 = AtomicI32::new(0);
static ENTRIES: AtomicI32 = AtomicI32::new(0);

struct Spans;

impl tracing::Subscriber for Spans {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &span::Id) {
        assert_eq!(ENTERED.fetch_add(1, Ordering::Relaxed), 0);
        assert!(ENTRIES.fetch_add(1, Ordering::Relaxed) < 100);
    }

    fn exit(&self, _: &span::Id) {
        assert_eq!(ENTERED.fetch_sub(1, Ordering::Relaxed), 1);
    }
}

#[coro::coroutine]
fn inside() {
    assert_eq!(ENTERED.load(Ordering::Relaxed), 1);
    yield_from!(coro::yield_now());
    assert_eq!(ENTERED.load(Ordering::Relaxed), 1);
}

#[coro::coroutine]
#[tracing::instrument]
fn plain(text: &str) -> usize {
    yield_from!(inside());
    text.len()
}

#[coro::coroutine]
#[tracing::instrument(ret, err)]
async fn plain_async(text: &str) -> Result<usize, String> {
    yield_from!(inside());
    Ok(text.len())
}

#[coro::coroutine(send)]
#[tracing::instrument]
fn sent((text, _): (&str, u8)) -> usize {
    yield_from!(inside());
    text.len()
}

#[coro::coroutine(boxed)]
#[tracing::instrument(skip(text))]
fn boxed(text: &str) -> usize {
    yield_from!(inside());
    text.len()
}

struct Text(&'static str);

impl Text {
    #[coro::coroutine(boxed, send)]
    #[tracing::instrument(skip_all, fields(n = more))]
    fn method(&self, more: usize) -> usize {
        yield_from!(inside());
        self.0.len() + more
    }
}

// Above an `async fn` that has no yield points of ours there is nothing to refuse.
#[tracing::instrument]
#[coro::coroutine]
async fn above(text: &str) -> usize {
    inside().await;
    text.len()
}

#[coro::coroutines]
mod module {
    #[coroutine]
    #[tracing::instrument]
    pub(crate) fn plain(text: &str) -> usize {
        coro::yield_from!(super::inside());
        text.len()
    }
}

fn poll_through<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    ENTRIES.store(0, Ordering::Relaxed);
    let mut polls = 0;
    loop {
        polls += 1;
        let poll = future.as_mut().poll(&mut cx);
        assert_eq!(ENTERED.load(Ordering::Relaxed), 0);
        if let Poll::Ready(value) = poll {
            assert_eq!(polls, 2);
            assert!(ENTRIES.load(Ordering::Relaxed) >= 2);
            return value;
        }
    }
}

fn main() {
    tracing::subscriber::set_global_default(Spans).unwrap();
    assert_eq!(poll_through(plain("ab")), 2);
    assert_eq!(poll_through(plain_async("ab")), Ok(2));
    assert_eq!(poll_through(sent(("ab", 1))), 2);
    assert_eq!(poll_through(boxed("ab")), 2);
    assert_eq!(poll_through(Text("ab").method(1)), 3);
    assert_eq!(poll_through(above("ab")), 2);
    assert_eq!(poll_through(module::plain("ab")), 2);
}
