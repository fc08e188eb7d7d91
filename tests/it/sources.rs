//! Iterators and streams that are given away: none is asked again after its end.

use std::cell::Cell;
use std::future::ready;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use coro::group::{as_completed, buffered, map_concurrent, race_ok, staggered_race, wait};
use coro::{gather, sleep, try_gather, yield_, yield_from};
use futures::{Stream, StreamExt};

use crate::support::ms;

/// Gives this number of numbers, then its end, once. As a stream it waits before each.
struct Once {
    left: u64,
    ended: bool,
    asked_again: Rc<Cell<bool>>,
}

impl Once {
    fn next(&mut self) -> Option<u64> {
        let before = self.left;
        self.left = before.saturating_sub(1);
        if before == 0 && std::mem::replace(&mut self.ended, true) {
            self.asked_again.set(true);
        }
        (before > 0).then_some(before)
    }
}

impl Iterator for Once {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        Once::next(self)
    }
}

struct OnceStream(Once, bool);

impl Stream for OnceStream {
    type Item = u64;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        self.1 = !self.1;
        if self.1 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.0.next())
    }
}

async fn after(millis: u64) -> u64 {
    sleep(ms(millis)).await;
    millis
}

async fn fails(millis: u64) -> Result<u64, ()> {
    sleep(ms(millis)).await;
    Err(())
}

/// Has `take` take `len` numbers.
async fn takes(name: &str, take: impl AsyncFn(Once)) {
    for len in [0, 1, 3, 8, 9, 40] {
        let asked_again = Rc::new(Cell::new(false));
        take(Once {
            left: len,
            ended: false,
            asked_again: asked_again.clone(),
        })
        .await;
        assert!(!asked_again.get(), "{name} of {len}");
    }
}

#[coro::test]
async fn none_is_asked_after_its_end() {
    takes("map_concurrent", async |source| {
        map_concurrent(source, 5, after).await;
    })
    .await;
    takes("gather", async |source| {
        drop(gather(source.map(after)).await)
    })
    .await;
    takes("try_gather", async |source| {
        assert!(
            try_gather(source.map(async |n| Ok::<_, ()>(after(n).await)))
                .await
                .is_ok()
        );
    })
    .await;
    takes("as_completed", async |source| {
        as_completed(source.map(after))
            .for_each(|_| ready(()))
            .await;
    })
    .await;
    takes("staggered_race", async |source| {
        assert!(staggered_race(ms(1), source.map(fails)).await.is_err());
    })
    .await;
    takes("race_ok", async |source| {
        let all: Vec<_> = source.map(fails).collect();
        assert!(all.is_empty() || race_ok(all).await.is_err());
    })
    .await;
    takes("wait", async |source| {
        let tasks = source.map(|n| coro::spawn(after(n)));
        wait(tasks, coro::group::ReturnWhen::AllCompleted, None).await;
    })
    .await;
}

#[coro::test]
async fn no_stream_is_polled_after_its_end() {
    takes("buffered", async |source| {
        let mut outcomes = buffered(OnceStream(source, false).map(after), 5);
        while outcomes.next().await.is_some() {}
        assert!(outcomes.next().await.is_none());
    })
    .await;
    takes("yield_from", async |source| {
        #[coro::coroutine(yields = u64)]
        async fn numbers(source: Once) {
            yield_from!(OnceStream(source, false));
            yield_!(0);
        }
        let numbers = numbers(source);
        numbers.for_each(|_| ready(())).await;
    })
    .await;
}

#[coro::test]
async fn items_that_come_after_the_end_are_left_alone() {
    let (sender, receiver) = std::sync::mpsc::channel();
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    coro::call_later(ms(1), move || sender.send(3).unwrap());
    assert_eq!(map_concurrent(receiver.try_iter(), 8, after).await, [1, 2]);
    sleep(ms(5)).await;
    assert_eq!(receiver.try_recv(), Ok(3));
}
