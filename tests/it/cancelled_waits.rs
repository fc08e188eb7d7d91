//! Cancelled tasks that were woken: they are not polled, and the items that they were given go on.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, ready};
use std::rc::Rc;
use std::thread;

use coro::sync::{
    Condition, Event, Lock, OnceCell, PriorityQueue, Queue, RwLock, Semaphore, broadcast, channel,
    oneshot, remote, watch,
};
use coro::task::current_task;
use coro::{
    CancelToken, EventLoop, LoopHandle, TaskGroup, scope, sleep, spawn, timeout, yield_now,
};
use futures::future::LocalBoxFuture;

use crate::support::{Drops, Gate, Trace, ms, turns};

type Log = Rc<RefCell<Vec<u32>>>;

/// Has two tasks wait, then gives once, and cancels the first before that or after that, in one
/// turn: the second goes on, the first is not polled again.
async fn check<'a>(wait: impl Fn() -> LocalBoxFuture<'static, ()>, give: impl Fn() + 'a) {
    for cancelled_first in [true, false] {
        let log = Log::default();
        let waiter = |number: u32| {
            let (log, wait) = (log.clone(), wait());
            spawn(async move {
                wait.await;
                log.borrow_mut().push(number);
            })
        };
        let (first, second) = (waiter(1), waiter(2));
        turns(2).await;
        if cancelled_first {
            assert!(first.cancel());
            give();
        } else {
            give();
            assert!(first.cancel());
        }
        assert!(first.await.unwrap_err().is_cancelled());
        second.await.unwrap();
        assert_eq!(*log.borrow(), [2], "cancelled first: {cancelled_first}");
    }
}

/// A wait for something that both tasks share.
fn on<T: 'static, F>(
    shared: &Rc<T>,
    wait: impl Fn(Rc<T>) -> F,
) -> impl Fn() -> LocalBoxFuture<'static, ()>
where
    F: Future<Output = ()> + 'static,
{
    let shared = shared.clone();
    move || Box::pin(wait(shared.clone()))
}

#[coro::test]
async fn what_a_queue_gave_goes_to_the_next() {
    let queue = Rc::new(Queue::unbounded());
    let get = on(&queue, |queue| async move {
        queue.get().await.unwrap();
    });
    check(get, || queue.try_put(1).unwrap()).await;

    let queue = Rc::new(PriorityQueue::unbounded());
    let get = on(&queue, |queue| async move {
        queue.get().await.unwrap();
    });
    check(get, || queue.try_put(1).unwrap()).await;
}

#[coro::test]
async fn a_lock_goes_to_the_next() {
    for (owned, cancelled_first) in [(false, false), (false, true), (true, false), (true, true)] {
        let lock = Rc::new(Lock::new(0));
        let guard = lock.try_lock().unwrap();
        let waiter = |number: u32| {
            let lock = lock.clone();
            spawn(async move {
                match owned {
                    true => *lock.lock_owned().await = number,
                    false => *lock.lock().await = number,
                }
            })
        };
        let (first, second) = (waiter(1), waiter(2));
        turns(1).await;
        if cancelled_first {
            first.cancel();
            drop(guard);
        } else {
            drop(guard);
            first.cancel();
        }
        assert!(first.await.unwrap_err().is_cancelled());
        second.await.unwrap();
        assert_eq!(*lock.lock().await, 2);
    }
}

#[coro::test]
async fn permits_and_a_place_as_reader_or_writer_go_to_the_next() {
    let permits = Rc::new(Semaphore::new(0));
    let acquire = on(&permits, |permits| async move {
        permits.acquire().await.unwrap().forget();
    });
    check(acquire, || permits.add_permits(1)).await;
    assert_eq!(permits.available_permits(), 0);

    let lock = Rc::new(RwLock::new(()));
    for _ in 0..2 {
        let guard = RefCell::new(Some(lock.write().await));
        let (first, second) = (lock.clone(), lock.clone());
        let first = spawn(async move { drop(first.write().await) });
        let second = spawn(async move { drop(second.read().await) });
        turns(2).await;
        guard.take();
        assert!(first.cancel());
        assert!(first.await.unwrap_err().is_cancelled());
        second.await.unwrap();
    }
}

#[coro::test]
async fn a_notification_and_the_making_of_a_value_go_to_the_next() {
    let shared = Rc::new((Lock::new(()), Condition::new()));
    let wait = on(&shared, |shared| async move {
        drop(shared.1.wait(shared.0.lock().await).await);
    });
    check(wait, || shared.1.notify_one()).await;

    let cell = Rc::new(OnceCell::new());
    let made = Gate::new();
    let maker = {
        let (cell, made) = (cell.clone(), made.clone());
        spawn(async move {
            let failed = cell.get_or_try_init(async || {
                made.await;
                Err::<u32, ()>(())
            });
            assert!(failed.await.is_err());
        })
    };
    turns(1).await;
    let waiter = |value: u32| {
        let cell = cell.clone();
        spawn(async move { *cell.get_or_init(async || value).await })
    };
    let (first, second) = (waiter(1), waiter(2));
    turns(1).await;
    made.open(); // the maker fails in the next turn, and the first waiter is to make the value
    spawn(async move { first.cancel() });
    maker.await.unwrap();
    assert_eq!(second.await.unwrap(), 2);
}

#[coro::test]
async fn a_value_of_a_channel_goes_to_the_next() {
    let (sender, receiver) = channel::unbounded();
    let receive = {
        let receiver = receiver.clone();
        move || -> LocalBoxFuture<'static, ()> {
            let mut receiver = receiver.clone();
            Box::pin(async move {
                receiver.recv().await.unwrap();
            })
        }
    };
    check(receive, || sender.try_send(1).unwrap()).await;
    drop(receiver);

    let (sender, receiver) = remote::channel::unbounded();
    let receive = move || -> LocalBoxFuture<'static, ()> {
        let receiver = receiver.clone();
        Box::pin(async move {
            receiver.recv().await.unwrap();
        })
    };
    check(receive, || sender.try_send(1).unwrap()).await;
}

#[coro::test]
async fn what_all_are_told_of_the_others_are_told_of() {
    let event = Rc::new(Event::new());
    let wait = on(&event, |event| async move { event.wait().await });
    check(wait, || {
        event.set();
        event.clear();
    })
    .await;

    let event = Rc::new(remote::Event::new());
    let wait = on(&event, |event| async move { event.wait().await });
    check(wait, || {
        event.set();
        event.clear();
    })
    .await;

    let (sender, receiver) = watch::channel(0);
    let wait = move || -> LocalBoxFuture<'static, ()> {
        let mut receiver = receiver.clone();
        receiver.borrow_and_update();
        Box::pin(async move { receiver.changed().await.unwrap() })
    };
    check(wait, || sender.send_modify(|value| *value += 1)).await;

    let (sender, receiver) = broadcast::channel(8);
    let wait = move || -> LocalBoxFuture<'static, ()> {
        let mut receiver = receiver.resubscribe();
        Box::pin(async move {
            receiver.recv().await.unwrap();
        })
    };
    check(wait, || {
        sender.send(1).unwrap();
    })
    .await;
}

#[coro::test]
async fn the_value_of_a_oneshot_that_was_sent_to_a_cancelled_task_is_dropped_with_it() {
    let drops = Drops::default();
    let (sender, receiver) = oneshot::channel();
    let trace = Trace::new();
    let task = spawn({
        let trace = trace.clone();
        async move {
            let _value = receiver.await;
            trace.add("never");
        }
    });
    turns(1).await;
    sender.send(drops.counted()).unwrap();
    task.cancel();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(drops.count(), 1);
    trace.assert([]);
}

#[coro::test]
async fn a_task_that_cancels_itself_and_yields_goes_on_no_further() {
    let trace = Trace::new();
    let task = spawn({
        let trace = trace.clone();
        async move {
            current_task().unwrap().cancel();
            trace.add("to the next wait");
            yield_now().await;
            trace.add("never");
        }
    });
    assert!(task.await.unwrap_err().is_cancelled());
    trace.assert(["to the next wait"]);
}

#[coro::test]
async fn children_that_are_cancelled_are_not_polled_again() {
    let gate = Gate::new();
    let child_of_scope = gate.clone();
    scope(async |s| {
        let child = s.spawn(child_of_scope);
        yield_now().await;
        gate.open();
        child.cancel();
        turns(2).await;
    })
    .await;
    assert_eq!(gate.polls(), 1);

    let gate = Gate::new();
    let member = gate.clone();
    let group = TaskGroup::<()>::fallible();
    let task = group.spawn(member).unwrap();
    yield_now().await;
    gate.open();
    group.cancel("enough");
    group.join().await.unwrap();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(gate.polls(), 1);
}

#[coro::test]
async fn a_future_whose_token_is_cancelled_while_it_waits_is_not_polled_again() {
    let queue = Rc::new(Queue::unbounded());
    let token = CancelToken::new();
    for cancelled_first in [true, false] {
        let token = token.child();
        let log = Log::default();
        let work = {
            let (queue, token, log) = (queue.clone(), token.clone(), log.clone());
            spawn(async move {
                let work = async {
                    let job: u32 = queue.get().await.unwrap();
                    log.borrow_mut().push(job);
                    pending::<()>().await;
                };
                token.run_until_cancelled(work).await
            })
        };
        turns(1).await;
        if cancelled_first {
            token.cancel("now");
            queue.try_put(1).unwrap();
        } else {
            queue.try_put(1).unwrap();
            token.cancel("now");
        }
        assert!(work.await.unwrap().is_err());
        assert!(log.borrow().is_empty());
        assert_eq!(queue.try_get(), Ok(1), "the job was handed back");
    }
    let own = token.clone();
    let cancels = token.run_until_cancelled(async move {
        yield_now().await;
        own.cancel("from within");
        7
    });
    assert_eq!(cancels.await, Ok(7), "it returned before it waited again");
}

#[coro::test]
async fn a_value_of_the_same_turn_wins_over_a_timeout() {
    let (sender, receiver) = oneshot::channel();
    coro::call_later(ms(5), move || sender.send(4).unwrap());
    assert_eq!(timeout(ms(5), receiver).await.unwrap(), Ok(4));
    assert_eq!(timeout(ms(0), ready(1)).await, Ok(1));
    assert!(timeout(ms(1), sleep(ms(2))).await.is_err());
}

#[coro::test]
async fn a_shielded_task_goes_on_when_who_awaits_it_is_cancelled() {
    let (gate, done) = (Gate::new(), Rc::new(Cell::new(false)));
    let shielded = {
        let (gate, done) = (gate.clone(), done.clone());
        async move {
            gate.await;
            done.set(true);
        }
    };
    let task = spawn(coro::group::shield(shielded));
    turns(2).await;
    gate.open();
    task.cancel();
    assert!(task.await.unwrap_err().is_cancelled());
    turns(1).await;
    assert!(done.get());
}

#[test]
fn a_remote_task_that_was_cancelled_before_its_first_step_never_runs() {
    let mut event_loop = EventLoop::new().unwrap();
    let remote = event_loop.handle().remote();
    let made = thread::spawn(move || {
        let task = remote.spawn(|| async { panic!("polled") }).unwrap();
        task.cancel();
        task
    });
    let task = made.join().unwrap();
    let ended: Result<(), _> = event_loop.run_until_complete(task).unwrap();
    assert!(ended.unwrap_err().is_cancelled());
}

#[coro::test]
async fn a_remote_task_that_is_cancelled_as_it_is_woken_is_not_polled_again() {
    thread_local! {
        static GATE: Gate = Gate::new();
    }
    let gate = GATE.with(Gate::clone);
    let remote = LoopHandle::current().remote();
    let task = remote.spawn(|| GATE.with(Gate::clone)).unwrap();
    while gate.polls() == 0 {
        yield_now().await;
    }
    turns(2).await;
    gate.open();
    task.cancel();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(gate.polls(), 1);
}

#[test]
fn the_output_of_a_remote_task_that_ends_in_the_last_turn_of_its_loop_is_not_lost() {
    let mut kept = None;
    coro::run(async {
        let remote = LoopHandle::current().remote();
        let (sender, receiver) = remote::oneshot::channel::<u32>();
        let task = remote.spawn(move || async move { receiver.await.unwrap() });
        sleep(ms(1)).await;
        sender.send(5).unwrap();
        yield_now().await; // the task runs, and after that the loop cancels all that is left
        kept = task.ok();
    });
    assert_eq!(kept.unwrap().join().unwrap(), 5);
}
