//! Every wait of `coro::sync`, dropped at each of its suspensions.
#![expect(
    clippy::await_holding_refcell_ref,
    reason = "only the operation borrows it, and gives it back when it is dropped"
)]

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use coro::sync::{
    Barrier, Condition, Event, Lock, OnceCell, PriorityQueue, Queue, RwLock, Semaphore, broadcast,
    channel, oneshot, watch,
};
use coro::testing::cancel_everywhere;

const MS: Duration = Duration::from_millis(1);

/// Runs a future as a task that no test waits for.
pub(crate) fn beside(future: impl Future<Output = ()> + 'static) {
    drop(coro::spawn(future));
}

/// A state with a record of the results that the operation got.
pub(crate) struct With<S, R> {
    pub(crate) state: S,
    pub(crate) got: RefCell<Vec<R>>,
}

impl<S, R> With<S, R> {
    pub(crate) fn new(state: S) -> Self {
        With {
            state,
            got: RefCell::default(),
        }
    }

    pub(crate) fn got(&self, result: R) {
        self.got.borrow_mut().push(result);
    }
}

#[test]
fn permits_come_back_and_the_next_in_line_is_served() {
    let setup = async || {
        let semaphore = Rc::new(Semaphore::new(2));
        let held = semaphore.clone().acquire_owned(2).await.unwrap();
        coro::call_later(MS, move || drop(held));
        let (line, behind) = (semaphore.clone(), Rc::new(Cell::new(false)));
        coro::call_soon({
            let behind = behind.clone();
            move || {
                beside(async move {
                    let _permit = line.acquire().await.unwrap();
                    behind.set(true);
                });
            }
        });
        (semaphore, behind)
    };
    let check = async |(semaphore, behind): &(Rc<Semaphore>, Rc<Cell<bool>>)| {
        coro::sleep(5 * MS).await;
        assert_eq!((semaphore.available_permits(), behind.get()), (2, true));
    };
    let places = cancel_everywhere(
        setup,
        async |(semaphore, _)| {
            let _permit = semaphore.acquire_many(2).await.unwrap();
            coro::yield_now().await;
        },
        check,
    );
    assert_eq!(places, 2);
    let owned = async |(semaphore, _): &(Rc<Semaphore>, _)| {
        let _permit = semaphore.clone().acquire_owned(1).await.unwrap();
        coro::yield_now().await;
    };
    assert_eq!(cancel_everywhere(setup, owned, check), 2);
}

#[test]
fn locks_come_free() {
    let setup = async || {
        let lock = Rc::new(Lock::new(0));
        let held = lock.clone().lock_owned().await;
        coro::call_later(MS, move || drop(held));
        lock
    };
    let check = async |lock: &Rc<Lock<u32>>| {
        coro::sleep(5 * MS).await;
        assert!(!lock.is_locked());
    };
    let whole = async |lock: &Rc<Lock<u32>>| {
        *lock.lock().await += 1;
        let _guard = lock.clone().lock_owned().await;
        coro::yield_now().await;
    };
    assert_eq!(cancel_everywhere(setup, whole, check), 2);

    let setup = async || {
        let lock = Rc::new(RwLock::new(0));
        beside({
            let lock = lock.clone();
            async move {
                let _guard = lock.write().await;
                coro::sleep(MS).await;
            }
        });
        coro::yield_now().await;
        lock
    };
    let check = async |lock: &Rc<RwLock<u32>>| {
        coro::sleep(5 * MS).await;
        assert!(lock.try_write().is_some());
    };
    let read = async |lock: &Rc<RwLock<u32>>| {
        let _one = lock.read().await;
        let _other = lock.read().await;
        coro::yield_now().await;
    };
    let write = async |lock: &Rc<RwLock<u32>>| {
        let _guard = lock.write().await;
        coro::yield_now().await;
    };
    assert_eq!(cancel_everywhere(setup, read, check), 2);
    assert_eq!(cancel_everywhere(setup, write, check), 2);
}

#[test]
fn a_notification_is_passed_on_and_the_lock_released() {
    struct Notified {
        lock: Lock<()>,
        condition: Condition,
        woken: Cell<u32>,
    }
    let wait = async |it: &Notified| {
        let guard = it.lock.lock().await;
        let guard = it.condition.wait(guard).await;
        it.woken.set(it.woken.get() + 1);
        drop(guard);
    };
    let places = cancel_everywhere(
        async || {
            let it = Rc::new(Notified {
                lock: Lock::new(()),
                condition: Condition::new(),
                woken: Cell::new(0),
            });
            coro::call_later(MS, {
                let it = it.clone();
                move || {
                    beside({
                        let it = it.clone();
                        async move { wait(&it).await }
                    });
                }
            });
            coro::call_later(2 * MS, {
                let it = it.clone();
                move || it.condition.notify_one()
            });
            it
        },
        async |it| wait(it).await,
        async |it| {
            coro::sleep(5 * MS).await;
            assert_eq!(it.woken.get(), 1);
            assert!(!it.lock.is_locked());
        },
    );
    assert!(places >= 1);
}

#[test]
fn a_channel_loses_no_value_that_is_received() {
    type Received = With<(channel::Receiver<u32>, ()), u32>;
    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = channel::bounded(1);
            beside(async move {
                for n in 0..4 {
                    coro::sleep(MS).await;
                    sender.send(n).await.unwrap();
                }
            });
            RefCell::new(With::new((receiver, ())))
        },
        async |it: &RefCell<Received>| {
            let mut it = it.borrow_mut();
            for _ in 0..2 {
                let value = it.state.0.recv().await.unwrap();
                it.got(value);
            }
        },
        async |it| {
            let mut it = it.borrow_mut();
            while let Some(value) = it.state.0.recv().await {
                it.got(value);
            }
            assert_eq!(*it.got.borrow(), [0, 1, 2, 3]);
        },
    );
    assert_eq!(places, 2);
}

#[test]
fn a_channel_sends_a_value_once_or_not_at_all() {
    let places = cancel_everywhere(
        async || {
            let (sender, mut receiver) = channel::bounded(1);
            let got = Rc::new(RefCell::new(Vec::new()));
            beside({
                let got = got.clone();
                async move {
                    while let Some(value) = receiver.recv().await {
                        got.borrow_mut().push(value);
                        coro::sleep(MS).await;
                    }
                }
            });
            ((sender, got), Cell::new(0))
        },
        async |((sender, _), sent): &((channel::Sender<u32>, _), Cell<u32>)| {
            for n in 0..4 {
                sender.send(n).await.unwrap();
                sent.set(n + 1);
            }
        },
        async |((_, got), sent)| {
            coro::sleep(9 * MS).await;
            let got = got.borrow();
            assert!(got.iter().copied().eq(0..got.len() as u32));
            assert_eq!(got.len() as u32, sent.get());
        },
    );
    assert_eq!(places, 3);
}

#[test]
fn queues_lose_no_item_and_no_count() {
    type Items = (Rc<Queue<u32>>, RefCell<Vec<u32>>);
    let setup = async || {
        let queue = Rc::new(Queue::bounded(1));
        beside({
            let queue = queue.clone();
            async move {
                for n in 0..3 {
                    coro::sleep(MS).await;
                    queue.put(n).await.unwrap();
                }
            }
        });
        (queue, RefCell::default())
    };
    let take = async |(queue, got): &Items| {
        let item = queue.get().await.unwrap();
        got.borrow_mut().push(item);
        queue.task_done();
    };
    let check = async |it: &Items| {
        while it.1.borrow().len() < 3 {
            take(it).await;
        }
        assert_eq!(*it.1.borrow(), [0, 1, 2]);
        it.0.join().await;
    };
    let taken_twice = async |it: &Items| {
        take(it).await;
        take(it).await;
    };
    assert_eq!(cancel_everywhere(setup, taken_twice, check), 2);

    let places = cancel_everywhere(
        async || {
            let queue = Rc::new(Queue::bounded(2));
            queue.try_put(()).unwrap();
            let done = queue.clone();
            coro::call_later(MS, move || {
                done.try_get().unwrap();
                done.task_done();
            });
            queue
        },
        async |queue| queue.join().await,
        async |queue| queue.join().await,
    );
    assert_eq!(places, 1);

    let places = cancel_everywhere(
        async || {
            let queue = Rc::new(PriorityQueue::bounded(1));
            queue.try_put(5).unwrap();
            let later = queue.clone();
            coro::call_later(MS, move || assert_eq!(later.try_get().unwrap(), 5));
            (queue, Cell::new(false))
        },
        async |(queue, put)| {
            queue.put(3).await.unwrap();
            put.set(true);
        },
        async |(queue, put)| {
            coro::sleep(5 * MS).await;
            assert_eq!(queue.try_get().ok(), put.get().then_some(3));
        },
    );
    assert_eq!(places, 1);
}

#[test]
fn the_single_value_and_the_latest_value_stay_to_be_received() {
    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = oneshot::channel();
            coro::call_later(MS, move || sender.send(7).unwrap());
            With::new(RefCell::new(receiver))
        },
        async |it| it.got((&mut *it.state.borrow_mut()).await),
        async |it| {
            if it.got.borrow().is_empty() {
                it.got((&mut *it.state.borrow_mut()).await);
            }
            assert!(matches!(it.got.borrow()[..], [Ok(7)]));
        },
    );
    assert_eq!(places, 1);

    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = watch::channel(0);
            coro::call_later(MS, move || sender.send(7).unwrap());
            With::new(RefCell::new(receiver))
        },
        async |it| {
            let mut receiver = it.state.borrow_mut();
            receiver.changed().await.unwrap();
            it.got(*receiver.borrow_and_update());
        },
        async |it| {
            let mut receiver = it.state.borrow_mut();
            if it.got.borrow().is_empty() {
                it.got(*receiver.wait_for(|value| *value == 7).await.unwrap());
            }
            assert_eq!(*it.got.borrow(), [7]);
            assert!(receiver.changed().await.is_err());
        },
    );
    assert_eq!(places, 1);

    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = broadcast::channel(8);
            beside(async move {
                for n in 0..3 {
                    coro::sleep(MS).await;
                    sender.send(n).unwrap();
                }
            });
            With::new(RefCell::new(receiver))
        },
        async |it| {
            let mut receiver = it.state.borrow_mut();
            it.got(receiver.recv().await.unwrap());
            it.got(receiver.recv().await.unwrap());
        },
        async |it| {
            let mut receiver = it.state.borrow_mut();
            while let Ok(value) = receiver.recv().await {
                it.got(value);
            }
            assert_eq!(*it.got.borrow(), [0, 1, 2]);
        },
    );
    assert_eq!(places, 2);
}

#[test]
fn waits_for_an_end_can_be_repeated() {
    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = oneshot::channel::<()>();
            coro::call_later(MS, move || drop(receiver));
            RefCell::new(sender)
        },
        async |sender| sender.borrow_mut().closed().await,
        async |sender| sender.borrow_mut().closed().await,
    );
    assert_eq!(places, 1);
    let places = cancel_everywhere(
        async || {
            let (sender, receiver) = watch::channel(0);
            coro::call_later(MS, move || drop(receiver));
            sender
        },
        async |sender| sender.closed().await,
        async |sender| sender.closed().await,
    );
    assert_eq!(places, 1);
    let places = cancel_everywhere(
        async || {
            let event = Rc::new(Event::new());
            let later = event.clone();
            coro::call_later(MS, move || later.set());
            event
        },
        async |event| event.wait().await,
        async |event| event.wait().await,
    );
    assert_eq!(places, 1);
}

#[test]
fn a_barrier_waits_for_another_if_one_withdraws() {
    let places = cancel_everywhere(
        async || {
            let barrier = Rc::new(Barrier::new(2));
            let met = Rc::new(Cell::new(false));
            coro::call_later(MS, {
                let (barrier, met) = (barrier.clone(), met.clone());
                move || {
                    beside(async move {
                        barrier.wait().await.unwrap();
                        met.set(true);
                    });
                }
            });
            (barrier, met)
        },
        async |(barrier, _)| barrier.wait().await,
        async |(barrier, met)| {
            coro::sleep(5 * MS).await;
            if !met.get() {
                assert_eq!(barrier.n_waiting(), 1);
                barrier.wait().await.unwrap();
            }
            assert_eq!(barrier.n_waiting(), 0);
        },
    );
    assert_eq!(places, 1);
}

#[test]
fn another_task_makes_the_value_of_a_cell_if_the_first_is_dropped() {
    let places = cancel_everywhere(
        async || (OnceCell::new(), Cell::new(0)),
        async |(cell, made): &(OnceCell<u32>, Cell<u32>)| {
            cell.get_or_init(async || {
                coro::sleep(MS).await;
                made.set(made.get() + 1);
                7
            })
            .await;
        },
        async |(cell, made)| {
            let value = cell.get_or_init(async || {
                made.set(made.get() + 1);
                7
            });
            assert_eq!((*value.await, made.get()), (7, 1));
        },
    );
    assert_eq!(places, 1);
}
