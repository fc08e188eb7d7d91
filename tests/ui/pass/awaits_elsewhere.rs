//! `.await` inside a generator that cannot wait, in places that are not its own body.

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

use coro::{yield_, yield_from};
use std::future::{Future, ready};

macro_rules! later {
    ($($tokens:tt)*) => { async move { $($tokens)* } };
}

fn second<A, B>(_: A, b: B) -> impl Future<Output = B> {
    ready(b)
}

#[coro::coroutine(yields = u32)]
fn numbers() {
    yield_!(coro::run(async { ready(1).await }));
    yield_!(coro::run(async move {
        match ready(2).await {
            2 | 3 => ready(2).await,
            _ => 0,
        }
    }));
    let closure = async |x: u32| ready(x).await;
    yield_!(coro::run(closure(3)));
    let typed = async |x: u32| -> Result<u32, String> { Ok(ready(x).await) };
    yield_!(coro::run(typed(4)).unwrap_or(0));
    let turbofish = async move |x: u32| second::<u32, u32>(x, x).await;
    yield_!(coro::run(turbofish(5)));
    let block = |x: u32| async move { ready(x).await };
    yield_!(coro::run(block(6)));

    async fn nested(x: u32) -> u32 {
        ready(x).await
    }
    yield_!(coro::run(nested(7)));

    #[coro::coroutine]
    fn annotated(x: u32) -> u32 {
        ready(x).await
    }
    yield_!(coro::run(annotated(8)));

    struct Method;
    impl Method {
        async fn call(&self, x: u32) -> u32 {
            ready(x).await
        }
    }
    yield_!(coro::run(Method.call(9)));
    yield_!(coro::run(later!(ready(10).await)));
}

#[coro::coroutine(yields = u32)]
async fn waiting() {
    yield_!(ready(1).await);
    yield_from!(ready(()));
}

fn main() {
    assert!(numbers().into_iter().eq(1..=10));
    drop(waiting());
}
