//! The other way round: coroutines, generators, groups and `sync` on runtimes of tokio.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use coro::group::map_concurrent;
use coro::sync::{Lock, Queue, remote};
use coro::{CancelToken, gather, race, scope, try_gather, yield_, yield_from, yield_now};
use futures::StreamExt;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::sleep;

use crate::http::ms;

#[coro::coroutine(send)]
fn add(a: u32, b: u32) -> u32 {
    yield_from!(sleep(ms(1)));
    a + b
}

#[coro::coroutine(yields = u32)]
fn count(up_to: u32) {
    for n in 0..up_to {
        yield_!(n);
    }
}

#[coro::coroutine(yields = u32)]
async fn slow_count(up_to: u32) {
    for n in 0..up_to {
        sleep(ms(1)).await;
        yield_!(n);
    }
}

/// All that may be sent, so that it also runs on several threads.
async fn runs_anywhere() {
    assert_eq!(add(1, 2).await, 3);
    assert_eq!(count(5).into_iter().sum::<u32>(), 10);
    let items: Vec<u32> = slow_count(3).collect().await;
    assert_eq!(items, [0, 1, 2]);
    assert_eq!(gather((add(1, 2), add(3, 4))).await, (3, 7));
    let (send, receive) = remote::channel::bounded::<u32>(1);
    let (sent, received) = gather((
        async move {
            for n in 0..10 {
                send.send(n).await.unwrap();
            }
        },
        async move {
            let mut sum = 0;
            while let Some(n) = receive.recv().await {
                sum += n;
            }
            sum
        },
    ))
    .await;
    assert_eq!((sent, received), ((), 45));
    yield_now().await;
}

/// All that stays on a thread.
async fn runs_on_one_thread() {
    let shared = Rc::new(Lock::new(0));
    let work = async |n: u32| {
        let mut total = shared.lock().await;
        sleep(ms(1)).await;
        *total += n;
    };
    gather((0..5).map(work).collect::<Vec<_>>()).await;
    assert_eq!(*shared.lock().await, 10);
    let first = race((
        async {
            sleep(ms(50)).await;
            "slow"
        },
        async {
            sleep(ms(1)).await;
            "quick"
        },
    ));
    assert_eq!(first.await, "quick");
    let failed = try_gather((async { Err::<(), _>("no") }, async { Ok::<(), &str>(()) }));
    assert_eq!(failed.await, Err("no"));
    let text = String::from("borrowed");
    let lengths = scope(async |children| {
        let one = children.spawn(async { text.len() });
        sleep(ms(1)).await;
        one.await
    });
    assert_eq!(lengths.await, 8);
    let doubled: Vec<u32> = map_concurrent(0..5, 2, async |n| {
        sleep(ms(1)).await;
        n * 2
    })
    .await;
    assert_eq!(doubled.iter().sum::<u32>(), 20);
    let queue = Queue::bounded(1);
    let (put, got) = gather((
        async {
            for n in 0..3 {
                queue.put(n).await.unwrap();
            }
        },
        async { (queue.get().await, queue.get().await, queue.get().await) },
    ))
    .await;
    assert_eq!((put, got), ((), (Ok(0), Ok(1), Ok(2))));
    let token = CancelToken::new();
    let waits = token.run_until_cancelled(std::future::pending::<()>());
    token.cancel("enough");
    assert!(waits.await.is_err());
}

#[test]
fn on_the_current_thread_runtime_and_a_local_set() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(runs_anywhere());
    runtime.block_on(runs_on_one_thread());
    let local = LocalSet::new();
    let task = local.spawn_local(runs_on_one_thread());
    local.spawn_local(runs_anywhere());
    runtime.block_on(local);
    runtime.block_on(task).unwrap();
}

#[test]
fn on_the_runtime_with_several_threads() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let tasks: Vec<_> = (0..20).map(|_| runtime.spawn(runs_anywhere())).collect();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    runtime.block_on(runs_on_one_thread());
}

/// The parts that need the loop say that there is none.
#[test]
fn what_needs_the_loop_panics_and_says_so() {
    fn refused<F: Future>(make: impl FnOnce() -> F) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let run = AssertUnwindSafe(|| runtime.block_on(async { drop(make().await) }));
        let payload = catch_unwind(run).unwrap_err();
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.unwrap_or_else(|| payload.downcast_ref::<&str>().unwrap().to_string());
        assert!(
            text.contains("no event loop is running on this thread"),
            "{text}"
        );
    }
    refused(|| coro::sleep(ms(1)));
    refused(|| coro::timeout(Duration::from_secs(1), std::future::pending::<()>()));
    refused(|| async { coro::spawn(async {}).await });
    refused(|| coro::threads::to_thread(|| 1));
    refused(|| async { coro::net::TcpListener::bind("127.0.0.1:0").map(drop) });
}
