//! Futures of other libraries, which lose nothing while dumps poll them.

use std::time::{Duration, Instant};

use coro::{LoopHandle, Task, gather, sleep, spawn};
use futures::channel::{mpsc, oneshot};
use futures::stream::FuturesUnordered;
use futures::{SinkExt, StreamExt};

/// For how long there is load.
const LOAD: Duration = Duration::from_millis(600);

/// A task that takes a dump each millisecond, and counts them.
pub(crate) fn dump_each_millisecond() -> Task<()> {
    let dumping = spawn(async {
        loop {
            let tree = LoopHandle::current().dump().await;
            assert!(!tree.tasks().is_empty());
            sleep(Duration::from_millis(1)).await;
        }
    });
    dumping.cancel_on_drop()
}

/// Calls `work` again and again under dumps, until the time is over.
pub(crate) async fn under_dumps(mut work: impl AsyncFnMut(u32)) {
    let _dumping = dump_each_millisecond();
    let begun = Instant::now();
    let mut round = 0;
    while begun.elapsed() < LOAD {
        work(round).await;
        round += 1;
    }
    assert!(round > 0);
}

#[coro::test(real)]
async fn channels_of_another_library_lose_nothing() {
    under_dumps(async |round| {
        let (mut send, receive) = mpsc::channel::<u32>(3);
        let sending = spawn(async move {
            for n in 0..100 {
                send.send(n).await.unwrap();
                if n % 10 == 0 {
                    coro::yield_now().await;
                }
            }
        });
        let received: Vec<u32> = receive.collect().await;
        assert_eq!(received, (0..100).collect::<Vec<_>>());
        sending.await.unwrap();
        let (once, value) = oneshot::channel();
        let thread = std::thread::spawn(move || once.send(round));
        assert_eq!(value.await, Ok(round));
        thread.join().unwrap().unwrap();
    })
    .await;
}

#[coro::test(real)]
async fn futures_unordered_completes_each_of_its_futures_once() {
    under_dumps(async |_| {
        let mut all: FuturesUnordered<_> = (0..50)
            .map(|n| async move {
                sleep(Duration::from_micros(u64::from(n * 37 % 11) * 100)).await;
                n
            })
            .collect();
        let mut seen = Vec::new();
        while let Some(n) = all.next().await {
            seen.push(n);
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..50).collect::<Vec<u32>>());
    })
    .await;
}

#[coro::test(real)]
async fn combinators_of_another_library_are_polled_as_ever() {
    use std::pin::pin;
    under_dumps(async |_| {
        let three = async {
            gather((sleep(Duration::from_micros(300)), async { 3 }))
                .await
                .1
        };
        let (_, other) = futures::future::join(sleep(Duration::from_micros(200)), three).await;
        assert_eq!(other, 3);
        let early = pin!(sleep(Duration::from_micros(100)));
        let late = pin!(sleep(Duration::from_secs(100)));
        let first = futures::future::select(early, late).await;
        assert!(matches!(first, futures::future::Either::Left(_)));
    })
    .await;
}
