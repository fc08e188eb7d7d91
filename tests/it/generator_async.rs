//! Generators that wait: as streams, as step futures, with the task's waker.

use std::cell::Cell;
use std::future::{Future, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use coro::CoroutineState::{Complete, Yielded};
use coro::generator::{AsyncCoroutine, Status};
use coro::{yield_, yield_from};
use futures::channel::{mpsc, oneshot};
use futures::executor::block_on;
use futures::stream::{self, FusedStream, Stream, StreamExt};

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn counting() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    (count.clone(), count.into())
}

/// Pending once, after waking the task.
async fn pause() {
    let mut paused = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

#[coro::coroutine(yields = u32)]
async fn slow_count(to: u32) {
    for n in 0..to {
        yield_from!(pause());
        yield_!(n);
        pause().await;
    }
}

#[test]
fn an_async_generator_is_a_stream() {
    let items: Vec<u32> = block_on(slow_count(4).collect());
    assert_eq!(items, [0, 1, 2, 3]);
    let doubled = slow_count(3).map(|n| n * 2).filter(|n| ready(n % 4 == 0));
    assert_eq!(block_on(doubled.collect::<Vec<_>>()), [0, 4]);
}

#[test]
fn the_stream_is_fused() {
    let mut stream = pin!(slow_count(1));
    assert!(!stream.is_terminated());
    assert_eq!(block_on(stream.next()), Some(0));
    assert_eq!(block_on(stream.next()), None);
    assert!(stream.is_terminated());
    assert_eq!(block_on(stream.next()), None);
}

#[test]
fn a_wait_registers_the_waker_of_the_task_awaited_or_delegated_to() {
    #[coro::coroutine(yields = u32)]
    async fn waits(a: oneshot::Receiver<u32>, b: oneshot::Receiver<u32>) {
        yield_!(yield_from!(a).unwrap());
        yield_!(b.await.unwrap());
    }
    let (send_a, a) = oneshot::channel();
    let (send_b, b) = oneshot::channel();
    let mut stream = pin!(waits(a, b));
    let (count, waker) = counting();
    let cx = &mut Context::from_waker(&waker);
    assert_eq!(stream.as_mut().poll_next(cx), Poll::Pending);
    send_a.send(1).unwrap();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(stream.as_mut().poll_next(cx), Poll::Ready(Some(1)));
    assert_eq!(stream.as_mut().poll_next(cx), Poll::Pending);
    std::thread::spawn(move || send_b.send(2).unwrap())
        .join()
        .unwrap();
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
    assert_eq!(stream.as_mut().poll_next(cx), Poll::Ready(Some(2)));
    assert_eq!(stream.as_mut().poll_next(cx), Poll::Ready(None));
}

#[test]
fn a_waker_kept_beyond_the_generator_still_wakes_the_task() {
    thread_local!(static KEPT: Cell<Option<Waker>> = const { Cell::new(None) });

    #[coro::coroutine(yields = ())]
    async fn keeps_waker() {
        poll_fn(|cx| {
            KEPT.set(Some(cx.waker().clone()));
            Poll::Ready(())
        })
        .await;
        yield_!();
    }
    let (count, waker) = counting();
    let mut stream = Box::pin(keeps_waker());
    let cx = &mut Context::from_waker(&waker);
    assert_eq!(stream.as_mut().poll_next(cx), Poll::Ready(Some(())));
    drop(stream);
    KEPT.take().unwrap().wake();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
}

#[test]
fn the_waker_may_be_used_by_other_threads_while_the_body_runs() {
    #[coro::coroutine(yields = u32)]
    async fn shares_waker() {
        poll_fn(|cx| {
            let waker = cx.waker();
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(move || {
                        let own = waker.clone();
                        own.wake();
                    });
                    scope.spawn(move || waker.wake_by_ref());
                }
            });
            Poll::Ready(())
        })
        .await;
        yield_!(1);
    }
    let (count, waker) = counting();
    let mut stream = pin!(shares_waker());
    let cx = &mut Context::from_waker(&waker);
    assert_eq!(stream.as_mut().poll_next(cx), Poll::Ready(Some(1)));
    assert_eq!(count.0.load(Ordering::Relaxed), 8);
}

/// Answers each number with its double, after one pause.
#[coro::coroutine(yields = u32, resumes = u32)]
async fn doubler() -> &'static str {
    let mut n = 0;
    loop {
        n = yield_!(2 * n);
        pause().await;
        if n == 0 {
            return "zero";
        }
    }
}

#[test]
fn two_way_steps_are_futures() {
    block_on(async {
        let mut doubler = pin!(doubler());
        assert_eq!(doubler.as_mut().start().await, Yielded(0));
        assert_eq!(doubler.as_mut().resume(4).await, Yielded(8));
        assert_eq!(doubler.as_mut().resume(5).await, Yielded(10));
        assert_eq!(doubler.as_mut().resume(0).await, Complete("zero"));
        assert_eq!(doubler.status(), Status::Finished);
    });
}

#[test]
fn a_step_dropped_half_way_is_finished_by_start() {
    let mut doubler = pin!(doubler());
    let cx = &mut Context::from_waker(Waker::noop());
    assert_eq!(block_on(doubler.as_mut().start()), Yielded(0));
    assert!(pin!(doubler.as_mut().resume(7)).poll(cx).is_pending());
    assert_eq!(doubler.status(), Status::Suspended);
    assert_eq!(block_on(doubler.as_mut().start()), Yielded(14));
}

#[test]
#[should_panic = "finish that step with `start`"]
fn a_value_in_the_middle_of_a_step_is_refused() {
    let mut doubler = pin!(doubler());
    let cx = &mut Context::from_waker(Waker::noop());
    _ = block_on(doubler.as_mut().start());
    assert!(pin!(doubler.as_mut().resume(7)).poll(cx).is_pending());
    _ = block_on(doubler.as_mut().resume(8));
}

#[test]
fn a_value_is_left_alone_in_the_middle_of_a_step() {
    let mut doubler = pin!(doubler());
    let cx = &mut Context::from_waker(Waker::noop());
    assert_eq!(
        doubler.as_mut().poll_resume(cx, &mut None),
        Poll::Ready(Yielded(0))
    );
    let mut value = Some(3);
    assert_eq!(doubler.as_mut().poll_resume(cx, &mut value), Poll::Pending);
    assert_eq!(value, None);
    value = Some(9);
    assert_eq!(
        doubler.as_mut().poll_resume(cx, &mut value),
        Poll::Ready(Yielded(6))
    );
    assert_eq!(value, Some(9));
}

#[test]
fn everything_can_be_delegated_to() {
    #[coro::coroutine(yields = u32)]
    fn plain() -> u32 {
        yield_!(1);
        2
    }
    #[coro::coroutine(yields = u32)]
    async fn child() -> u32 {
        pause().await;
        yield_!(3);
        4
    }
    #[coro::coroutine(yields = u32)]
    async fn all() {
        let sum = yield_from!(plain()) + yield_from!(child());
        yield_!(sum);
        yield_from!(10..12);
        yield_from!(stream::iter([20, 21]));
        yield_from!(slow_count(2));
        yield_from!(pin!(slow_count(1)));
        let (sender, receiver) = mpsc::unbounded();
        sender.unbounded_send(30).unwrap();
        drop(sender);
        yield_from!(receiver);
        yield_!(yield_from!(async { 40 }));
    }
    let items: Vec<u32> = block_on(all().collect());
    assert_eq!(items, [1, 3, 6, 10, 11, 20, 21, 0, 1, 0, 30, 40]);
}

#[test]
fn boxed_chains_wait_at_any_depth() {
    #[coro::coroutine(yields = u32, boxed)]
    async fn countdown(n: u32) -> u32 {
        pause().await;
        yield_!(n);
        match n {
            0 => 0,
            _ => {
                let below = yield_from!(countdown(n - 1));
                yield_from!(pause());
                below + 1
            }
        }
    }
    #[coro::coroutine(yields = u32, boxed)]
    async fn root() {
        let depth = yield_from!(countdown(500));
        yield_!(depth);
    }
    let mut expected: Vec<u32> = (0..=500).rev().collect();
    expected.push(500);
    assert_eq!(block_on(root().collect::<Vec<_>>()), expected);

    let mut steps = countdown(1);
    block_on(async {
        assert_eq!(Pin::new(&mut steps).start().await, Yielded(1));
        assert_eq!(Pin::new(&mut steps).resume(()).await, Yielded(0));
        assert_eq!(Pin::new(&mut steps).resume(()).await, Complete(1));
    });
}

#[test]
fn streams_of_streams_use_their_own_slots() {
    #[coro::coroutine(yields = String)]
    async fn outer() {
        let mut inner = pin!(slow_count(3));
        while let Some(n) = inner.next().await {
            yield_!(format!("n{n}"));
        }
        let (a, b) = futures::future::join(slow_count(2).count(), slow_count(3).count()).await;
        yield_!(format!("{a}{b}"));
    }
    assert_eq!(
        block_on(outer().collect::<Vec<_>>()),
        ["n0", "n1", "n2", "23"]
    );
}

#[test]
fn an_async_generator_is_send_when_its_body_is_and_wakes_across_threads() {
    let (sender, receiver) = mpsc::unbounded();
    #[coro::coroutine(yields = u32)]
    async fn sums(mut receiver: mpsc::UnboundedReceiver<u32>) {
        let mut sum = 0;
        while let Some(n) = receiver.next().await {
            sum += n;
            yield_!(sum);
        }
    }
    let stream = sums(receiver);
    let consumer = std::thread::spawn(move || block_on(stream.collect::<Vec<_>>()));
    for n in 1..=100 {
        sender.unbounded_send(n).unwrap();
    }
    drop(sender);
    let sums = consumer.join().unwrap();
    assert_eq!((sums.len(), sums.last()), (100, Some(&5050)));
}

#[test]
fn debug_shows_the_status() {
    let mut generator = pin!(doubler());
    assert_eq!(
        format!("{generator:?}"),
        "AsyncGenerator { status: NotStarted, .. }"
    );
    let step = generator.as_mut().start();
    assert_eq!(format!("{step:?}"), "Resume { status: NotStarted, .. }");
}
