//! The order of `coro::sync`, on which users of asyncio rely, in tasks of a loop.

use std::rc::Rc;

use coro::sync::{Barrier, BrokenBarrier, Event, Lock, Queue, RwLock, Semaphore, TryRecvError};
use coro::{Task, spawn};
use futures::FutureExt;

use crate::support::{Trace, turns};

/// Spawns a task for each name, in order.
fn each<F>(names: &[&'static str], body: impl Fn(&'static str) -> F) -> Vec<Task<()>>
where
    F: Future<Output = ()> + 'static,
{
    names.iter().map(|name| spawn(body(name))).collect()
}

async fn all(tasks: Vec<Task<()>>) {
    for task in tasks {
        task.await.unwrap();
    }
}

#[coro::test]
async fn awaiting_an_available_resource_does_not_let_others_run() {
    let trace = Trace::new();
    let beside = spawn({
        let trace = trace.clone();
        async move { trace.add("beside") }
    });
    let (lock, event, queue) = (Lock::new(0), Event::new(), Queue::bounded(1));
    let (semaphore, rw, barrier) = (Semaphore::new(1), RwLock::new(0), Barrier::new(1));
    event.set();
    drop(lock.lock().await);
    event.wait().await;
    queue.put(1).await.unwrap();
    queue.get().await.unwrap();
    queue.task_done();
    queue.join().await;
    drop(semaphore.acquire().await);
    drop(rw.read().await);
    drop(rw.write().await);
    assert_eq!(barrier.wait().await, Ok(0));
    trace.assert([]);
    beside.await.unwrap();
}

#[coro::test]
async fn a_lock_that_is_released_is_the_first_waiters_before_it_runs() {
    let trace = Trace::new();
    let lock = Rc::new(Lock::new(()));
    let held = lock.lock().await;
    let tasks = each(&["first", "second"], |name| {
        let (lock, trace) = (lock.clone(), trace.clone());
        async move {
            let _held = lock.lock().await;
            trace.add(name);
        }
    });
    turns(1).await;
    drop(held);
    assert!(lock.is_locked() && lock.try_lock().is_none());
    let late = lock.lock().await; // queues after the release, behind both tasks
    trace.assert(["first", "second"]);
    drop(late);
    all(tasks).await;
}

#[coro::test]
async fn an_event_that_is_set_and_cleared_at_once_wakes_its_waiters() {
    let trace = Trace::new();
    let event = Rc::new(Event::new());
    let tasks = each(&["a", "b", "c"], |name| {
        let (event, trace) = (event.clone(), trace.clone());
        async move {
            event.wait().await;
            trace.add(name);
        }
    });
    turns(1).await;
    event.set();
    event.clear();
    turns(1).await;
    trace.assert(["a", "b", "c"]);
    assert!(event.wait().now_or_never().is_none());
    all(tasks).await;
}

#[coro::test]
async fn a_release_of_many_permits_wakes_several_and_none_overtakes_a_large_request() {
    let trace = Trace::new();
    let semaphore = Rc::new(Semaphore::new(0));
    let ask = |name: &'static str, n| {
        let (semaphore, trace) = (semaphore.clone(), trace.clone());
        spawn(async move {
            semaphore.acquire_many(n).await.unwrap().forget();
            trace.add(name);
        })
    };
    let tasks = vec![ask("one", 1), ask("three", 3), ask("another", 1)];
    turns(1).await;
    semaphore.add_permits(3);
    assert!(semaphore.try_acquire().is_none()); // two are left, for the request of three
    turns(1).await;
    trace.assert_taken(["one"]);
    semaphore.add_permits(2);
    turns(1).await;
    trace.assert_taken(["three", "another"]);
    all(tasks).await;
}

#[coro::test]
async fn an_item_that_was_handed_over_cannot_be_snatched_away() {
    let trace = Trace::new();
    let queue = Rc::new(Queue::unbounded());
    let tasks = each(&["a", "b"], |name| {
        let (queue, trace) = (queue.clone(), trace.clone());
        async move {
            let item: u32 = queue.get().await.unwrap();
            trace.add(format!("{name} got {item}"));
        }
    });
    turns(1).await;
    queue.try_put(1).unwrap();
    queue.try_put(2).unwrap();
    assert_eq!(queue.try_get(), Err(TryRecvError::Empty));
    turns(1).await;
    trace.assert(["a got 1", "b got 2"]);
    all(tasks).await;
}

#[coro::test]
async fn items_of_cancelled_getters_go_back_to_their_places() {
    let queue = Rc::new(Queue::unbounded());
    let getters: Vec<_> = (0..3)
        .map(|_| {
            let queue = queue.clone();
            let mut get = Box::pin(async move { queue.get().await.unwrap() });
            assert!(get.as_mut().now_or_never().is_none());
            get
        })
        .collect();
    for item in 1..=4 {
        queue.try_put(item).unwrap();
    }
    assert_eq!(queue.len(), 1);
    drop(getters); // first to last
    let items: Vec<u32> = std::iter::from_fn(|| queue.try_get().ok()).collect();
    assert_eq!(items, [1, 2, 3, 4]);
}

#[coro::test]
async fn waiting_puts_are_served_in_order_one_for_each_item_taken() {
    let trace = Trace::new();
    let queue = Rc::new(Queue::bounded(1));
    queue.put("here").await.unwrap();
    let tasks = each(&["a", "b", "c"], |name| {
        let (queue, trace) = (queue.clone(), trace.clone());
        async move {
            queue.put(name).await.unwrap();
            trace.add(format!("{name} put"));
        }
    });
    turns(1).await;
    assert_eq!(queue.try_get(), Ok("here"));
    assert!(queue.try_put("barging").unwrap_err().is_full());
    turns(1).await;
    trace.assert_taken(["a put"]);
    for expected in ["a", "b", "c"] {
        assert_eq!(queue.get().await, Ok(expected));
    }
    all(tasks).await;
}

#[coro::test]
async fn a_queue_is_joined_when_the_last_item_is_done_not_when_it_is_got() {
    let queue = Rc::new(Queue::unbounded());
    queue.try_put(1).unwrap();
    queue.try_put(2).unwrap();
    let joined = spawn({
        let queue = queue.clone();
        async move { queue.join().await }
    });
    for _ in 0..2 {
        queue.get().await.unwrap();
        turns(2).await;
        assert!(!joined.is_finished());
        queue.task_done();
    }
    turns(1).await;
    assert!(joined.is_finished());
}

#[coro::test]
async fn a_task_that_comes_to_a_barrier_while_others_leave_it_joins_the_next_round() {
    let trace = Trace::new();
    let barrier = Rc::new(Barrier::new(2));
    let tasks = each(&["a", "b", "c", "d"], |name| {
        let (barrier, trace) = (barrier.clone(), trace.clone());
        async move {
            for _ in 0..2 {
                let place = barrier.wait().await.unwrap();
                trace.add(format!("{name}{place}"));
            }
        }
    });
    all(tasks).await;
    trace.assert(["b1", "c1", "d1", "a0", "a1", "b0", "c0", "d0"]);
}

#[coro::test]
async fn a_reset_fails_the_present_waiters_and_an_abort_the_later_ones_too() {
    let barrier = Rc::new(Barrier::new(2));
    let wait = || {
        let barrier = barrier.clone();
        spawn(async move { barrier.wait().await })
    };
    let sent_away = wait();
    turns(1).await;
    barrier.reset();
    assert_eq!(sent_away.await.unwrap(), Err(BrokenBarrier));
    barrier.abort();
    assert_eq!(wait().await.unwrap(), Err(BrokenBarrier));
    barrier.reset();
    let (one, other) = (wait(), wait());
    assert_eq!(one.await.unwrap(), Ok(0));
    assert_eq!(other.await.unwrap(), Ok(1));
}
