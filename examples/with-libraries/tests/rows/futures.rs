//! Combinators and macros of others: futures, futures-concurrency, async-stream, async-trait,
//! pin-project, tokio's macros.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use coro::compat::OnLoop;
use coro::group::CoroExt;
use coro::{AsyncGenerator, sleep, spawn, yield_, yield_from};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, Stream, StreamExt, stream};
use futures_concurrency::prelude::*;

use crate::http::ms;

#[coro::coroutine(yields = u64)]
async fn ticks(number: u64) {
    for n in 0..number {
        sleep(ms(10)).await;
        yield_!(n);
    }
}

#[coro::test]
async fn futures_selects_collects_and_buffers() {
    let mut unordered: FuturesUnordered<_> = [30, 10, 20]
        .map(|millis| async move {
            sleep(ms(millis)).await;
            millis
        })
        .into_iter()
        .collect();
    let mut ended = Vec::new();
    loop {
        futures::select! {
            millis = unordered.select_next_some() => ended.push(millis),
            () = sleep(ms(100)).fuse() => break,
            complete => break,
        }
    }
    assert_eq!(ended, [10, 20, 30]);
    let tasks = stream::iter(0..10).map(|n| spawn(async move { n * 2 }));
    let doubled: Vec<_> = tasks
        .buffer_unordered(3)
        .map(Result::unwrap)
        .collect()
        .await;
    assert_eq!(doubled.iter().sum::<i32>(), 90);
}

#[coro::test]
async fn futures_concurrency_joins_races_and_merges() {
    let (a, b) = (async { 1 }, sleep(ms(5)).map(|()| 2)).join().await;
    assert_eq!(a + b, 3);
    let first = (
        sleep(ms(9)).map(|()| "slow"),
        sleep(ms(3)).map(|()| "quick"),
    )
        .race()
        .await;
    assert_eq!(first, "quick");
    let merged = (ticks(3), ticks(2).map(|n| n + 100)).merge();
    let mut merged: Vec<u64> = merged.collect().await;
    merged.sort_unstable();
    assert_eq!(merged, [0, 1, 2, 100, 101]);
    let mut group = futures_concurrency::future::FutureGroup::new();
    for n in 0..5 {
        group.insert(sleep(ms(n)).map(move |()| n));
    }
    assert_eq!(group.collect::<Vec<_>>().await, [0, 1, 2, 3, 4]);
}

#[coro::coroutine(yields = u64)]
async fn delegates_to_async_stream() {
    let stream = async_stream::stream! {
        for n in 0..3 {
            sleep(ms(1)).await;
            yield n;
        }
    };
    yield_from!(Box::pin(stream)); // glue
    yield_!(100);
}

#[coro::test]
async fn async_stream_and_async_generators_consume_each_other() {
    let items: Vec<u64> = delegates_to_async_stream().collect().await;
    assert_eq!(items, [0, 1, 2, 100]);
    let doubled = async_stream::stream! {
        for await n in ticks(3) {
            yield n * 2;
        }
    };
    assert_eq!(doubled.collect::<Vec<_>>().await, [0, 2, 4]);
}

/// A trait in the form that asks for `Send`.
#[async_trait]
trait Store {
    async fn get(&self, key: u32) -> String;
    async fn put(&self, value: String) -> usize;
}

struct Remembers(OnLoop<Rc<RefCell<Vec<String>>>>);

#[async_trait]
impl Store for Remembers {
    async fn get(&self, key: u32) -> String {
        sleep(ms(1)).on_loop().await; // glue
        self.0.borrow()[key as usize].clone()
    }

    async fn put(&self, value: String) -> usize {
        let puts = async {
            sleep(ms(1)).await;
            self.0.borrow_mut().push(value);
            self.0.borrow().len()
        };
        OnLoop::borrowing(Box::pin(puts)).await // glue
    }
}

#[async_trait(?Send)]
trait Local {
    async fn twice(&self) -> u32;
}

#[async_trait(?Send)]
impl Local for Rc<u32> {
    async fn twice(&self) -> u32 {
        sleep(ms(1)).await;
        **self * 2
    }
}

#[coro::test]
async fn async_trait_has_methods_that_wait_in_both_forms() {
    let store: Box<dyn Store> = Box::new(Remembers(OnLoop::new(Rc::default())));
    assert_eq!(store.put("first".to_owned()).await, 1);
    assert_eq!(store.put("second".to_owned()).await, 2);
    assert_eq!(store.get(0).await, "first");
    let local: Box<dyn Local> = Box::new(Rc::new(21));
    assert_eq!(local.twice().await, 42);
}

/// A stream that counts the items of another.
#[pin_project::pin_project]
struct Counts<S> {
    #[pin]
    inner: S,
    number: usize,
}

impl<S: Stream> Stream for Counts<S> {
    type Item = (usize, S::Item);

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        this.inner.poll_next(cx).map(|item| {
            *this.number += 1;
            item.map(|item| (*this.number, item))
        })
    }
}

#[coro::test]
async fn pin_project_projects_to_an_async_generator() {
    let counts = Counts {
        inner: ticks(2),
        number: 0,
    };
    assert_eq!(counts.collect::<Vec<_>>().await, [(1, 0), (2, 1)]);
}

#[coro::test]
async fn the_macros_of_tokio_need_no_runtime() {
    let first = tokio::select! {
        () = sleep(ms(20)) => "slow",
        () = sleep(ms(10)) => "quick",
    };
    assert_eq!(first, "quick");
    assert_eq!(tokio::join!(async { 1 }, async { 2 }), (1, 2));
    let failed: Result<((), ()), &str> = tokio::try_join!(async { Err("one") }, async {
        sleep(ms(1)).await;
        Ok(())
    });
    assert_eq!(failed, Err("one"));
}

#[coro::coroutine(yields = String)]
fn values(text: &str) -> serde_json::Result<usize> {
    let mut number = 0;
    for value in serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>() {
        yield_!(value?.to_string());
        number += 1;
    }
    Ok(number)
}

#[test]
fn serde_json_streams_through_a_generator() {
    use coro::{Coroutine, CoroutineState};

    let mut values = std::pin::pin!(values("1 [2, 3] {\"a\" :4} ?"));
    let mut found = Vec::new();
    let ended = loop {
        match values.as_mut().resume(()) {
            CoroutineState::Yielded(value) => found.push(value),
            CoroutineState::Complete(ended) => break ended,
        }
    };
    assert_eq!(found, ["1", "[2,3]", "{\"a\":4}"]);
    assert!(ended.unwrap_err().is_syntax());
}

/// Holds that the type of an async generator can be written down and sent.
fn assert_send<T: Send>(value: T) -> T {
    value
}

#[coro::coroutine(yields = u32)]
async fn sendable() {
    yield_!(1);
    std::future::ready(()).await;
    yield_!(2);
}

#[test]
fn an_async_generator_runs_under_another_executor() {
    let stream: AsyncGenerator<u32, (), _> = assert_send(sendable());
    let items: Vec<u32> = futures::executor::block_on(stream.collect());
    assert_eq!(items, [1, 2]);
}
