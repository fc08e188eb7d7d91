//! Cancelling tasks: the moment of the drop, the tasks that end all the same.

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::rc::Rc;

use coro::task::{TaskHandle, current_task};
use coro::{Task, sleep, spawn, yield_now};

use crate::support::{Drops, Pending, Trace, ms, turns};

#[coro::test]
async fn a_task_cancelled_before_its_first_poll_drops_its_captures_unpolled() {
    let polls = Rc::new(Cell::new(0));
    let drops = Drops::default();
    let task = spawn({
        let (captured, pending) = (drops.counted(), Pending(polls.clone()));
        async move {
            let _captured = captured;
            pending.await;
        }
    });
    assert!(task.cancel());
    assert!(!task.is_finished(), "it is dropped when its turn comes");
    assert_eq!(drops.count(), 0);
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!((polls.get(), drops.count()), (0, 1));
}

#[coro::test]
async fn a_task_cancelled_while_it_waits_is_dropped_at_its_turn_innermost_first() {
    let trace = Trace::new();
    let task = spawn({
        let trace = trace.clone();
        async move {
            let _outer = trace.on_drop("outer");
            let _inner = trace.on_drop("inner");
            pending::<()>().await;
        }
    });
    yield_now().await;
    assert!(task.cancel());
    trace.assert([]);
    assert!(task.await.unwrap_err().is_cancelled());
    trace.assert(["inner", "outer"]);
}

#[coro::test]
async fn a_second_cancel_and_one_after_the_end_do_nothing() {
    let task = spawn(pending::<()>());
    assert!(task.cancel());
    assert!(!task.cancel());
    turns(2).await;
    assert!(task.is_finished() && !task.cancel());
    let done = spawn(ready(4));
    yield_now().await;
    assert!(!done.cancel());
    assert_eq!(done.await.unwrap(), 4);
}

#[coro::test]
async fn a_task_that_cancels_itself_is_dropped_at_its_next_wait_but_may_still_return() {
    let trace = Trace::new();
    let waits = spawn({
        let trace = trace.clone();
        async move {
            assert!(current_task().unwrap().cancel());
            trace.add("goes on");
            pending::<()>().await;
            trace.add("never");
        }
    });
    assert!(waits.await.unwrap_err().is_cancelled());
    trace.assert(["goes on"]);
    let returns = spawn(async {
        current_task().unwrap().cancel();
        12
    });
    assert_eq!(returns.await.unwrap(), 12, "a value that is ready wins");
}

#[coro::test]
async fn a_task_may_cancel_its_parent_and_of_two_that_would_cancel_each_other_one_lives() {
    let parent = spawn(async {
        let parent = current_task().unwrap();
        let child = spawn(async move { parent.cancel() });
        child.await.unwrap();
        pending::<()>().await;
    });
    assert!(parent.await.unwrap_err().is_cancelled());

    let first = Rc::new(RefCell::new(None::<TaskHandle>));
    let second = spawn({
        let first = first.clone();
        async move {
            yield_now().await;
            first.borrow().as_ref().unwrap().cancel();
            pending::<()>().await;
        }
    });
    let handle = second.handle();
    let one = spawn(async move {
        yield_now().await;
        handle.cancel();
        pending::<()>().await;
    });
    *first.borrow_mut() = Some(one.handle());
    assert!(one.await.unwrap_err().is_cancelled());
    turns(3).await;
    assert!(!second.is_finished(), "the other never had its turn");
    assert!(second.cancel());
}

#[coro::test]
async fn cancelling_reaches_through_a_task_only_where_the_handle_says_so() {
    let drops = Drops::default();
    let child = |drops: &Drops| {
        let counted = drops.counted();
        spawn(async move {
            let _counted = counted;
            pending::<()>().await;
        })
    };
    let parent = |child: Task<()>| spawn(child);
    let (detached, tied) = (child(&drops), child(&drops).cancel_on_drop());
    let keeps = detached.handle();
    let (first, second) = (parent(detached), parent(tied));
    turns(2).await;
    first.cancel();
    second.cancel();
    turns(3).await;
    assert_eq!(drops.count(), 1);
    assert!(!keeps.is_finished());
}

#[coro::test]
async fn a_handle_that_cancels_on_drop_does_so_wherever_it_is_dropped() {
    let drops = Drops::default();
    let counted = drops.counted();
    let task = spawn(async move {
        let _counted = counted;
        pending::<()>().await;
    });
    let task = task.cancel_on_drop();
    yield_now().await;
    drop(task);
    assert_eq!(drops.count(), 0);
    yield_now().await;
    assert_eq!(drops.count(), 1);
    let finished = spawn(ready(1)).cancel_on_drop();
    yield_now().await;
    drop(finished);
}

#[coro::test]
async fn a_dropped_handle_detaches_and_the_task_is_never_lost() {
    let trace = Trace::new();
    let later = trace.adder("still ran");
    drop(spawn(async move {
        sleep(ms(5)).await;
        later();
    }));
    sleep(ms(6)).await;
    trace.assert(["still ran"]);
}

#[coro::test]
async fn a_future_that_owns_the_handle_of_its_own_task_is_freed() {
    let drops = Drops::default();
    let slot = Rc::new(Cell::new(None));
    let task = spawn({
        let (slot, counted) = (slot.clone(), drops.counted());
        async move {
            let _counted = counted;
            yield_now().await;
            let _own: Task<()> = slot.take().unwrap();
            yield_now().await;
        }
    });
    slot.set(Some(task));
    turns(4).await;
    assert_eq!(drops.count(), 1);
}

#[coro::test]
async fn a_task_that_awaits_itself_can_still_be_cancelled() {
    let slot = Rc::new(Cell::new(None));
    let task = spawn({
        let slot = slot.clone();
        async move {
            yield_now().await;
            let own: Task<()> = slot.take().unwrap();
            own.await.unwrap();
        }
    });
    let handle = task.handle();
    slot.set(Some(task));
    turns(3).await;
    assert!(!handle.is_finished());
    handle.cancel();
    turns(2).await;
    assert!(handle.is_finished());
}
