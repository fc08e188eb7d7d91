//! The cost of awaiting many futures as one: `gather`, scopes.

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::StreamExt;
use futures::future::{LocalBoxFuture, join_all};
use futures::stream::FuturesUnordered;
use tokio::task::JoinSet;

use crate::harness::{Bound, Case, Effort, Role, Sample, Suite, time_async};
use crate::runtimes::{Coro, Runtime, TokioLocalSet, in_task, unordered};

pub(crate) fn suite() -> Suite {
    Suite::new(
        "group",
        "a future that waits once, awaited together with others",
    )
    .case(gathers("gather of 10", 10, 20_000).goal(Bound::AtMost(15.4)))
    .case(gathers("gather of 1,000", 1_000, 200))
    .case(gathers("gather of 100,000", 100_000, 2))
    .case(scopes("scope, children one at a time", 1, 50_000).goal(Bound::AtMost(200.0)))
    .case(scopes("scope, 100 children at a time", 100, 1_000).goal(Bound::AtMost(120.0)))
}

/// Pending once; wakes itself at once.
struct Once(bool);

impl Future for Once {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

async fn member(number: u64) -> u64 {
    Once(false).await;
    black_box(number)
}

/// A case that gathers `size` futures, `times` times.
fn gathers(name: &'static str, size: u64, times: u64) -> Case {
    let times = move |effort: &Effort| effort.count(times).max(1);
    Case::new(name, Coro::NAME)
        .subject(Coro::NAME, Role::Coro, move |effort| {
            let times = times(effort);
            in_task::<Coro, _>(time_async(size * times, move || async move {
                for _ in 0..times {
                    black_box(coro::gather((0..size).map(member)).await);
                }
            }))
        })
        .subject("join_all", Role::Peer, move |effort| {
            let times = times(effort);
            in_task::<Coro, _>(time_async(size * times, move || async move {
                for _ in 0..times {
                    black_box(join_all((0..size).map(member)).await);
                }
            }))
        })
        .subject(unordered::NAME, Role::Peer, move |effort| {
            let times = times(effort);
            in_task::<Coro, _>(time_async(size * times, move || async move {
                for _ in 0..times {
                    let all: FuturesUnordered<_> = (0..size).map(member).collect();
                    black_box(all.collect::<Vec<_>>().await);
                }
            }))
        })
        .subject("tokio JoinSet", Role::Peer, move |effort| {
            let times = times(effort);
            in_task::<TokioLocalSet, _>(time_async(size * times, move || async move {
                for _ in 0..times {
                    join_set(size).await;
                }
            }))
        })
        .goal(Bound::AheadOfPeers(1.0))
}

async fn join_set(size: u64) {
    let mut set = JoinSet::new();
    for number in 0..size {
        set.spawn_local(member(number));
    }
    while let Some(joined) = set.join_next().await {
        let _ = black_box(joined);
    }
}

/// A case that spawns `size` children into a scope and then joins them, `times` times.
fn scopes(name: &'static str, size: u64, times: u64) -> Case {
    Case::new(name, Coro::NAME)
        .subject(Coro::NAME, Role::Coro, move |effort| {
            on_scope(size, effort.count(times))
        })
        .subject(unordered::NAME, Role::Peer, move |effort| {
            on_unordered(size, effort.count(times))
        })
        .subject("tokio JoinSet", Role::Peer, move |effort| {
            let times = effort.count(times);
            in_task::<TokioLocalSet, _>(time_async(size * times, move || async move {
                for _ in 0..times {
                    join_set(size).await;
                }
            }))
        })
        .goal(Bound::AheadOfPeers(1.0))
}

fn on_scope(size: u64, times: u64) -> Sample {
    in_task::<Coro, _>(time_async(size * times, move || async move {
        for _ in 0..times {
            coro::scope(async |s| {
                let mut joins = Vec::with_capacity(size as usize);
                joins.extend((0..size).map(|number| s.spawn(member(number))));
                for join in joins {
                    black_box(join.await);
                }
            })
            .await;
        }
    }))
}

/// Each future is boxed, since the children of a scope may be of any type.
fn on_unordered(size: u64, times: u64) -> Sample {
    in_task::<Coro, _>(time_async(size * times, move || async move {
        for _ in 0..times {
            let mut all = FuturesUnordered::<LocalBoxFuture<'_, u64>>::new();
            for number in 0..size {
                all.push(Box::pin(member(number)));
            }
            while let Some(output) = all.next().await {
                black_box(output);
            }
        }
    }))
}
