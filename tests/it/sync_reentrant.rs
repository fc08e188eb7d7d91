//! Wakers with side effects: they use the primitive, panic, or change between polls.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use coro::sync::{
    Barrier, Condition, Event, Lock, OnceCell, Queue, RwLock, Semaphore, broadcast, channel,
    oneshot, watch,
};
use futures::{FutureExt, StreamExt};

use crate::support::{PanickyWaker, Wakes, panic_of, turns};

thread_local! {
    /// The side effect of a [`Meddler`], on the thread of the test.
    static MEDDLE: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
}

/// A waker with a side effect when it is woken, or when its last clone is dropped.
struct Meddler;

impl Meddler {
    fn waker() -> Waker {
        Arc::new(Meddler).into()
    }

    fn meddle() {
        let meddle = MEDDLE.with_borrow(Clone::clone);
        if let Some(meddle) = meddle {
            meddle();
        }
    }
}

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        Meddler::meddle();
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        Meddler::meddle();
    }
}

fn poll_with<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// Serves waits, drops them, changes their wakers, while the wakers use the primitive themselves.
///
/// `wait` must be pending, `use_it` makes all calls that do not wait, and `serve` serves a wait.
fn meddled<T: 'static>(
    make: impl Fn() -> T,
    wait: impl for<'a> Fn(&'a T) -> Pin<Box<dyn Future<Output = ()> + 'a>>,
    use_it: impl Fn(&T) + Clone + 'static,
    serve: impl Fn(&T),
) {
    let thing = Rc::new(make());
    let meddled = Rc::new(std::cell::Cell::new(0));
    MEDDLE.set(Some(Rc::new({
        let (thing, meddled) = (thing.clone(), meddled.clone());
        move || {
            meddled.set(meddled.get() + 1);
            use_it(&thing);
        }
    })));
    let (mut one, mut two, mut three) = (wait(&thing), wait(&thing), wait(&thing));
    assert!(poll_with(one.as_mut(), &Meddler::waker()).is_pending());
    assert!(poll_with(two.as_mut(), &Meddler::waker()).is_pending());
    assert!(poll_with(three.as_mut(), &Meddler::waker()).is_pending());
    assert!(poll_with(three.as_mut(), &Meddler::waker()).is_pending()); // drops the previous waker
    drop(two);
    serve(&thing);
    let _ = poll_with(one.as_mut(), &Meddler::waker());
    drop((one, three));
    serve(&thing);
    assert!(meddled.get() >= 4, "meddled {} times", meddled.get());
    MEDDLE.set(None);
}

#[test]
fn a_waker_may_use_a_lock() {
    let held = Rc::new(RefCell::new(None));
    let serve = held.clone();
    meddled(
        || {
            let lock = Rc::new(Lock::new(0));
            *held.borrow_mut() = Some(lock.clone().try_lock_owned().unwrap());
            lock
        },
        |lock| Box::pin(async { *lock.lock().await += 1 }),
        |lock| {
            if let Some(mut value) = lock.try_lock() {
                *value += 1;
            }
            let _ = format!("{lock:?} {:?}", lock.lock().now_or_never().as_deref());
        },
        move |lock| {
            drop(serve.take());
            assert!(lock.lock().now_or_never().is_some() || lock.is_locked());
        },
    );
}

#[test]
fn a_waker_may_use_an_event_a_semaphore_and_a_lock_of_readers() {
    meddled(
        Event::new,
        |event| Box::pin(event.wait()),
        |event| {
            event.set();
            event.clear();
            let _ = (event.wait().now_or_never(), format!("{event:?}"));
        },
        Event::set,
    );
    meddled(
        || Semaphore::new(0),
        |semaphore| Box::pin(async { drop(semaphore.acquire_many(2).await) }),
        |semaphore| {
            drop(semaphore.try_acquire());
            drop(semaphore.acquire().now_or_never());
            let _ = format!("{semaphore:?}");
        },
        |semaphore| {
            semaphore.add_permits(2);
            assert!(semaphore.available_permits() % 2 == 0);
        },
    );
    meddled(
        || (RwLock::new(0), Event::new()),
        |(lock, event)| {
            Box::pin(async {
                let guard = lock.read().await;
                event.wait().await;
                drop(guard);
                *lock.write().await += 1;
            })
        },
        |(lock, _)| {
            drop(lock.try_write());
            drop(lock.read().now_or_never());
            let _ = format!("{lock:?}");
        },
        |(_, event)| event.set(),
    );
}

#[test]
fn a_waker_may_use_a_barrier_a_condition_and_a_cell() {
    meddled(
        || Barrier::new(4),
        |barrier| Box::pin(async { _ = barrier.wait().await }),
        |barrier| _ = barrier.wait().now_or_never(),
        Barrier::reset,
    );
    meddled(
        || (Lock::new(()), Condition::new()),
        |(lock, condition)| Box::pin(async { drop(condition.wait(lock.lock().await).await) }),
        |(lock, condition)| {
            condition.notify_one();
            drop(lock.try_lock());
        },
        |(_, condition)| condition.notify_all(),
    );
    meddled(
        || (OnceCell::new(), Event::new()),
        |(cell, event)| {
            Box::pin(async {
                cell.get_or_init(async || event.wait().await).await;
            })
        },
        |(cell, _)| {
            let _ = (cell.get(), cell.set(()), format!("{cell:?}"));
        },
        |(_, event)| event.set(),
    );
}

#[test]
fn a_waker_may_use_a_queue() {
    meddled(
        || Queue::bounded(1),
        |queue| Box::pin(async { _ = queue.get().await }),
        |queue| {
            let _ = queue.try_put(1);
            let _ = (queue.try_get(), queue.get().now_or_never());
            let _ = (queue.put(2).now_or_never(), format!("{queue:?}"));
        },
        |queue| {
            let _ = queue.try_put(3);
            queue.shutdown(true);
        },
    );
    meddled(
        || {
            let queue = Queue::bounded(1);
            queue.try_put(0).unwrap();
            queue
        },
        |queue| Box::pin(async { _ = queue.put(1).await }),
        |queue| {
            let _ = (queue.try_get(), queue.try_put(2));
            queue.shutdown(false);
        },
        |queue| _ = queue.try_get(),
    );
}

#[test]
fn a_waker_may_use_channels() {
    meddled(
        || watch::channel(0),
        |(_, receiver)| {
            let mut receiver = receiver.clone();
            Box::pin(async move { _ = receiver.changed().await })
        },
        |(sender, receiver)| {
            let next = *receiver.borrow() + 1;
            sender.send(next).unwrap();
            drop(sender.subscribe());
        },
        |(sender, _)| sender.send(1).unwrap(),
    );
    meddled(
        || broadcast::channel(1),
        |(sender, _)| {
            let mut receiver = sender.subscribe();
            Box::pin(async move { _ = receiver.recv().await })
        },
        |(sender, receiver)| {
            sender.send(1).unwrap();
            drop((sender.subscribe(), receiver.resubscribe()));
        },
        |(sender, _)| _ = sender.send(2),
    );
    meddled(
        channel::unbounded,
        |(_, receiver)| {
            let mut receiver = receiver.clone();
            Box::pin(async move { _ = receiver.next().await })
        },
        |(sender, receiver)| {
            drop((receiver.clone(), sender.clone()));
            sender.try_send(1).unwrap();
        },
        |(sender, _)| sender.try_send(2).unwrap(),
    );
}

#[test]
fn a_waker_may_end_the_other_side_of_a_oneshot() {
    let (sender, receiver) = oneshot::channel();
    let other = Rc::new(RefCell::new(Some(sender)));
    let meddle = other.clone();
    MEDDLE.set(Some(Rc::new(move || {
        let sender: Option<oneshot::Sender<u32>> = meddle.take();
        _ = sender.map(|sender| sender.send(5));
    })));
    let mut receiver = Box::pin(receiver);
    assert!(poll_with(receiver.as_mut(), &Meddler::waker()).is_pending());
    // Storing the next waker drops the one before, which sends. This poll must not miss the value.
    let polled = poll_with(receiver.as_mut(), Waker::noop());
    assert_eq!(polled, Poll::Ready(Ok(5)));
    MEDDLE.set(None);
    assert!(other.take().is_none());
}

#[test]
fn when_a_waker_panics_the_others_are_served_and_woken() {
    let (event, semaphore, barrier) = (Event::new(), Semaphore::new(0), Barrier::new(3));
    let (wakes, waker) = Wakes::new();
    let waits = || -> [Pin<Box<dyn Future<Output = ()> + '_>>; 3] {
        [
            Box::pin(event.wait()),
            Box::pin(async { semaphore.acquire().await.unwrap().forget() }),
            Box::pin(async { _ = barrier.wait().await.unwrap() }),
        ]
    };
    let (mut panicky, mut calm) = (waits(), waits());
    for wait in &mut panicky {
        assert!(poll_with(wait.as_mut(), &PanickyWaker::waker()).is_pending());
    }
    for wait in &mut calm {
        assert!(poll_with(wait.as_mut(), &waker).is_pending());
    }
    let text = "a waker that panics";
    assert_eq!(panic_of(|| event.set()), text);
    assert_eq!(panic_of(|| semaphore.add_permits(2)), text);
    assert_eq!(panic_of(|| barrier.wait().now_or_never()), text);
    assert_eq!(wakes.count(), 3);
    for wait in panicky.iter_mut().chain(&mut calm) {
        assert!(poll_with(wait.as_mut(), Waker::noop()).is_ready());
    }
}

#[coro::test]
async fn a_wait_that_was_moved_to_another_task_wakes_that_one() {
    let event = Rc::new(Event::new());
    let mut wait = Box::pin({
        let event = event.clone();
        async move { event.wait().await }
    });
    let moved = coro::spawn(async move {
        assert!((&mut wait).now_or_never().is_none());
        Some(wait)
    });
    let wait = moved.await.unwrap().unwrap();
    let other = coro::spawn(wait);
    turns(2).await;
    event.set();
    turns(1).await;
    assert!(other.is_finished());
}
