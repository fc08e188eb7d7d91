//! Waits of more than one step: `Condition`, `OnceCell`, cancellation after every step.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use coro::sync::{Condition, Event, Lock, OnceCell};
use coro::{gather, spawn, yield_now};
use futures::FutureExt;

use crate::support::{Trace, Wakes, panic_of, turns};

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[coro::test]
async fn notified_waiters_get_the_lock_one_after_another_in_their_order() {
    let trace = Trace::new();
    let shared = Rc::new((Lock::new(()), Condition::new()));
    let waiters = ["a", "b", "c"].map(|name| {
        let (shared, trace) = (shared.clone(), trace.clone());
        spawn(async move {
            let (lock, condition) = &*shared;
            let guard = condition.wait(lock.lock().await).await;
            trace.add(format!("{name} in"));
            yield_now().await;
            trace.add(format!("{name} out"));
            drop(guard);
        })
    });
    turns(2).await;
    shared.1.notify(2);
    turns(9).await;
    trace.assert_taken(["a in", "a out", "b in", "b out"]);
    shared.1.notify_all();
    for waiter in waiters {
        waiter.await.unwrap();
    }
    trace.assert_taken(["c in", "c out"]);
}

#[coro::test]
async fn a_notification_of_an_abandoned_wait_goes_to_the_next() {
    let (lock, condition) = (Lock::new(()), Condition::new());
    let mut first = Box::pin(condition.wait(lock.try_lock().unwrap()));
    assert!(poll(first.as_mut()).is_pending());
    let mut second = Box::pin(condition.wait(lock.try_lock().unwrap()));
    assert!(poll(second.as_mut()).is_pending());
    condition.notify_one();
    drop(first); // notified, but not polled yet
    drop(second.await);

    let mut third = Box::pin(condition.wait(lock.try_lock().unwrap()));
    assert!(poll(third.as_mut()).is_pending());
    let mut fourth = Box::pin(condition.wait(lock.try_lock().unwrap()));
    assert!(poll(fourth.as_mut()).is_pending());
    let held = lock.try_lock().unwrap();
    condition.notify_one();
    assert!(poll(third.as_mut()).is_pending()); // polled, and waits for the lock
    drop(third);
    drop(held);
    drop(fourth.await);
    assert!(!lock.is_locked());
}

#[coro::test]
async fn a_notification_that_comes_as_the_lock_is_released_is_not_missed() {
    let (lock, condition) = (Rc::new(Lock::new(0)), Rc::new(Condition::new()));
    let held = lock.lock().await;
    let setter = spawn({
        let (lock, condition) = (lock.clone(), condition.clone());
        async move {
            *lock.lock().await = 1;
            condition.notify_one();
        }
    });
    turns(1).await;
    let value = condition.wait_for(held, |value| *value == 1).await;
    assert_eq!(*value, 1);
    setter.await.unwrap();
}

#[coro::test]
async fn a_predicate_that_holds_is_not_waited_for() {
    let (lock, condition) = (Lock::new(7), Condition::new());
    let held = condition.wait_for(lock.lock().await, |value| *value == 7);
    assert_eq!(held.now_or_never().as_deref(), Some(&7));
    let guard = lock.try_lock().unwrap();
    let told = panic_of(|| {
        let wait = condition.wait_for(guard, |_| panic!("no opinion"));
        wait.now_or_never().is_some()
    });
    assert_eq!(told, "no opinion");
    assert!(!lock.is_locked());
}

#[coro::test]
async fn a_value_is_made_once_and_all_waiters_see_it_at_once() {
    let (cell, made) = (OnceCell::new(), Cell::new(0));
    let make = async || {
        turns(3).await;
        made.set(made.get() + 1);
        made.get()
    };
    let all = gather((0..10).map(|_| cell.get_or_init(make)).collect::<Vec<_>>()).await;
    assert!(all.iter().all(|value| **value == 1));
    assert_eq!(cell.get_or_init(make).now_or_never(), Some(&1));
    assert_eq!(cell.set(5), Err(5));
}

#[coro::test]
async fn a_maker_that_is_cancelled_fails_or_panics_leaves_it_to_the_next() {
    let cell = OnceCell::new();
    {
        let mut cancelled = Box::pin(cell.get_or_init(std::future::pending));
        assert!(poll(cancelled.as_mut()).is_pending());
        assert_eq!(cell.set(1), Err(1)); // the first caller is making the value
        let mut failing = Box::pin(cell.get_or_try_init(async || Err("out of clay")));
        assert!(poll(failing.as_mut()).is_pending());
        let mut panicking = Box::pin(cell.get_or_init(async || panic!("broken wheel")));
        assert!(poll(panicking.as_mut()).is_pending());
        let mut making = pin!(cell.get_or_init(async || 4));
        assert!(poll(making.as_mut()).is_pending());

        drop(cancelled);
        assert!(poll(making.as_mut()).is_pending());
        assert_eq!(failing.await, Err("out of clay"));
        let told = panic_of(|| poll(panicking.as_mut()).is_ready());
        assert_eq!(told, "broken wheel");
        assert_eq!(making.await, &4);
    }
    assert_eq!(cell.into_inner(), Some(4));
}

#[coro::test]
async fn a_waiter_chosen_to_make_the_value_passes_that_on_when_it_is_cancelled() {
    let cell = OnceCell::new();
    let mut first = Box::pin(cell.get_or_init(std::future::pending));
    assert!(poll(first.as_mut()).is_pending());
    let mut second = Box::pin(cell.get_or_init(async || 2));
    assert!(poll(second.as_mut()).is_pending());
    let mut third = Box::pin(cell.get_or_init(async || 3));
    assert!(poll(third.as_mut()).is_pending());
    drop(first); // the second may make it now ..
    drop(second); // .. but is never polled again
    assert_eq!(third.await, &3);
}

/// Runs a program whose `victim` is dropped after its kth poll, for each k until it completes.
fn cancel_everywhere<F: Future>(mut victim: impl FnMut() -> F, mut rest: impl FnMut()) -> usize {
    for polls in 0.. {
        let mut future = Box::pin(victim());
        let ended = (0..polls).any(|_| {
            let (_, waker) = Wakes::new();
            let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
            rest();
            polled.is_ready()
        });
        drop(future);
        if ended {
            return polls;
        }
    }
    unreachable!("a program ends")
}

#[test]
fn a_task_that_is_cancelled_after_any_step_leaves_everything_usable() {
    let (lock, condition, event) = (Lock::new(0), Condition::new(), Event::new());
    let busy = RefCell::new(None);
    let steps = cancel_everywhere(
        || async {
            let mut guard = lock.lock().await;
            *guard += 1;
            let mut guard = condition.wait(guard).await;
            *guard += 1;
            event.wait().await;
            drop(guard);
            event.clear();
        },
        || {
            // The other holder releases the lock, the condition is notified, the event is set.
            drop(busy.take());
            condition.notify_all();
            event.set();
            *busy.borrow_mut() = lock.try_lock();
        },
    );
    drop(busy.take());
    assert!(steps >= 3, "cancelled at {steps} points only");
    assert!(!lock.is_locked());
    assert!(lock.lock().now_or_never().is_some());
}
