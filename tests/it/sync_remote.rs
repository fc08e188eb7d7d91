//! Primitives of `sync::remote`, shared with other threads or loops.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;

use coro::spawn;
use coro::sync::remote::{Event, channel, oneshot};
use coro::sync::{Closed, SendError, TryRecvError, TrySendError};
use futures::FutureExt;

use crate::support::{Drops, panic_of, turns};

#[test]
fn values_of_several_threads_arrive_each_once_and_in_the_order_of_each() {
    const EACH: usize = 2_000;
    let (sender, receiver) = channel::bounded(3);
    let threads: Vec<_> = (0..3)
        .map(|thread| {
            let sender = sender.clone();
            thread::spawn(move || (0..EACH).try_for_each(|n| sender.blocking_send((thread, n))))
        })
        .collect();
    drop(sender);
    let mut next = [0; 3];
    coro::run(async {
        while let Some((thread, n)) = receiver.recv().await {
            assert_eq!(next[thread], n);
            next[thread] += 1;
        }
    });
    assert_eq!(next, [EACH; 3]);
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
}

#[test]
fn two_loops_play_ping_pong() {
    let (ping, pinged) = channel::bounded(1);
    let (pong, ponged) = channel::unbounded();
    let there = thread::spawn(move || {
        coro::run(async {
            while let Some(n) = pinged.recv().await {
                pong.send(n + 1).await.unwrap();
            }
        });
    });
    let last = coro::run(async {
        let mut n = 0;
        while n < 500 {
            ping.send(n).await.unwrap();
            n = ponged.recv().await.unwrap();
        }
        drop(ping);
        n
    });
    assert_eq!(last, 500);
    there.join().unwrap();
}

#[test]
fn receivers_on_many_threads_share_the_values_and_lose_none_to_waits_that_are_dropped() {
    const VALUES: u64 = 3_000;
    let (sender, receiver) = channel::bounded(2);
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let receiver = receiver.clone();
            thread::spawn(move || {
                coro::run(async {
                    let mut sum = 0;
                    loop {
                        // Polls once and drops the wait, repeatedly, like a select.
                        let received = match receiver.recv().now_or_never() {
                            Some(received) => received,
                            None => receiver.recv().await,
                        };
                        match received {
                            Some(n) => sum += n,
                            None => return sum,
                        }
                    }
                })
            })
        })
        .collect();
    drop(receiver);
    for n in 1..=VALUES {
        sender.blocking_send(n).unwrap();
    }
    drop(sender);
    let sums = threads.into_iter().map(|thread| thread.join().unwrap());
    assert_eq!(sums.sum::<u64>(), VALUES * (VALUES + 1) / 2);
}

#[test]
fn a_value_handed_to_a_wait_that_is_dropped_goes_to_the_next_or_back_to_its_place() {
    let (sender, receiver) = channel::unbounded();
    let mut waits: Vec<_> = (0..3).map(|_| Some(Box::pin(receiver.recv()))).collect();
    let mut cx = Context::from_waker(Waker::noop());
    for wait in waits.iter_mut().flatten() {
        assert!(wait.poll_unpin(&mut cx).is_pending());
    }
    sender.try_send(1).unwrap();
    sender.try_send(2).unwrap();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty)); // both are handed over
    waits[0] = None;
    assert_eq!(waits[2].take().unwrap().now_or_never(), Some(Some(1)));
    waits[1] = None;
    sender.try_send(3).unwrap();
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(receiver.blocking_recv(), Some(3));
}

#[test]
fn each_side_of_a_remote_channel_learns_that_the_other_has_gone() {
    let drops = Drops::default();
    let (sender, receiver) = channel::bounded(1);
    sender.try_send(drops.counted()).unwrap();
    assert!(matches!(
        sender.try_send(drops.counted()),
        Err(TrySendError::Full(_))
    ));
    let blocked = thread::spawn({
        let (sender, drops) = (sender.clone(), drops.clone());
        move || sender.blocking_send(drops.counted()).is_err()
    });
    drop((receiver.clone(), receiver));
    assert!(blocked.join().unwrap());
    assert_eq!(drops.count(), 3);
    assert!(sender.is_closed());

    let (sender, receiver) = channel::bounded::<u32>(1);
    let waiting = thread::spawn(move || receiver.blocking_recv());
    drop(sender);
    assert_eq!(waiting.join().unwrap(), None);
}

#[test]
fn a_remote_oneshot_crosses_threads_both_ways() {
    let (answer, asked) = oneshot::channel();
    let thread = thread::spawn(move || asked.blocking_recv());
    coro::run(async { answer.send(Box::new(5)).unwrap() });
    assert_eq!(thread.join().unwrap(), Ok(Box::new(5)));

    let (answer, asked) = oneshot::channel::<u32>();
    thread::spawn(move || drop(answer));
    assert_eq!(coro::run(asked), Err(Closed));

    let (mut answer, asked) = oneshot::channel();
    thread::spawn(move || drop(asked));
    coro::run(async move {
        answer.closed().await;
        assert!(answer.is_closed());
        assert_eq!(answer.send(1), Err(SendError(1)));
    });
    let drops = Drops::default();
    let (answer, asked) = oneshot::channel();
    answer.send(drops.counted()).unwrap();
    drop(asked);
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_remote_event_releases_threads_and_tasks_alike() {
    let (go, arrived) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (go, arrived) = (go.clone(), arrived.clone());
            thread::spawn(move || {
                arrived.set();
                go.blocking_wait();
            })
        })
        .collect();
    coro::run(async {
        arrived.wait().await;
        let here = spawn({
            let go = go.clone();
            let local = Rc::new(1);
            async move {
                go.wait().await;
                *local
            }
        });
        turns(1).await;
        go.set();
        assert_eq!(here.await.unwrap(), 1);
    });
    for thread in threads {
        thread.join().unwrap();
    }
    go.clear();
    assert!(!go.is_set() && go.wait().now_or_never().is_none());
}

#[test]
fn blocking_a_loop_is_refused() {
    let (sender, receiver) = channel::bounded(1);
    coro::run(async {
        let text = panic_of(|| sender.blocking_send(1));
        assert!(
            text.starts_with("blocking_send() inside of an event loop"),
            "{text}"
        );
    });
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}
