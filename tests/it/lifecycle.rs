//! The ends of tasks, callouts, loops, in every combination: drops are exact, wherever wakers go.

use std::cell::RefCell;
use std::fmt;
use std::future::{pending, poll_fn};
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;

use coro::event_loop::ReportKind;
use coro::task::current_task;
use coro::{EventLoop, LoopHandle, Task, sleep, spawn};

use crate::support::{BusyWaker, Counted, Drops, Gate, OnDrop, Reports, ms, turns, virtual_loop};

// ---- every combination ----

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// The loop is closed while the task waits.
    Drop,
    Cancel,
    Complete,
    Panic,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Handle {
    Kept,
    Dropped,
    Forgotten,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kept {
    None,
    /// In a cell of this thread, until the task has ended.
    Here,
    /// Cloned to another thread, which clones, wakes and drops it while the task lives.
    Elsewhere,
    /// Given to another thread, which drops the last clone after the loop is gone.
    DroppedElsewhereLast,
    /// Woken on this thread and on another after the loop is gone.
    WokenAfterTheLoop,
}

struct Case {
    end: End,
    handle: Handle,
    waker: Kept,
    eager: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.eager { "eager" } else { "queued" };
        write!(
            f,
            "{:?}, handle {:?}, waker {:?}, {how}",
            self.end, self.handle, self.waker
        )
    }
}

fn cases() -> impl Iterator<Item = Case> {
    let ends = [End::Drop, End::Cancel, End::Complete, End::Panic];
    let handles = [Handle::Kept, Handle::Dropped, Handle::Forgotten];
    let wakers = [
        Kept::None,
        Kept::Here,
        Kept::Elsewhere,
        Kept::DroppedElsewhereLast,
        Kept::WokenAfterTheLoop,
    ];
    ends.into_iter().flat_map(move |end| {
        handles.into_iter().flat_map(move |handle| {
            wakers.into_iter().flat_map(move |waker| {
                [false, true].map(|eager| Case {
                    end,
                    handle,
                    waker,
                    eager,
                })
            })
        })
    })
}

#[test]
fn every_combination_of_end_handle_and_waker_drops_everything_once_and_here() {
    for case in cases() {
        run_case(&case);
    }
}

fn run_case(case: &Case) {
    let (futures, outputs) = (Drops::default(), Drops::default());
    let mut event_loop = virtual_loop();
    let reports = Reports::of(&event_loop.handle());
    let gate = Gate::new();
    let future = {
        let (gate, captured, output) = (gate.clone(), futures.counted(), outputs.counted());
        let panics = case.end == End::Panic;
        async move {
            let _captured = captured;
            gate.await;
            assert!(!panics, "the panic of the case");
            output
        }
    };
    let (task, seen) = event_loop
        .run_until_complete(async {
            let handle = LoopHandle::current();
            let task = if case.eager {
                handle.spawn_eager(future)
            } else {
                handle.spawn(future)
            };
            turns(2).await;
            let seen = task.handle();
            (keep(task, case.handle), seen)
        })
        .unwrap();
    let waker = (case.waker != Kept::None).then(|| gate.waker());
    assert_eq!(futures.count(), 0, "{case}");
    if case.waker == Kept::Elsewhere {
        wake_elsewhere(waker.clone().unwrap());
    }
    match case.end {
        End::Drop => {}
        End::Cancel => assert!(seen.cancel()),
        End::Complete | End::Panic => gate.open(),
    }
    gate.forget_waker();
    event_loop.run_until_complete(turns(2)).unwrap();
    drop(event_loop);
    assert!(seen.is_finished(), "{case}");
    assert_eq!(futures.count(), 1, "{case}");
    let last = match case.waker {
        Kept::DroppedElsewhereLast => waker,
        Kept::WokenAfterTheLoop => {
            let waker = waker.unwrap();
            waker.wake_by_ref();
            wake_elsewhere(waker.clone());
            waker.wake();
            None
        }
        _ => None,
    };
    check_end(case, task, &reports);
    drop(seen);
    thread::spawn(move || drop(last)).join().unwrap();
    let forgotten_output = case.handle == Handle::Forgotten && case.end == End::Complete;
    assert_eq!(outputs.count(), usize::from(!forgotten_output), "{case}");
    assert!(
        futures.all_on_this_thread() && outputs.all_on_this_thread(),
        "{case}"
    );
}

fn keep(task: Task<Counted>, handle: Handle) -> Option<Task<Counted>> {
    match handle {
        Handle::Kept => Some(task),
        Handle::Dropped => None,
        Handle::Forgotten => {
            mem::forget(task);
            None
        }
    }
}

fn wake_elsewhere(waker: Waker) {
    thread::spawn(move || {
        let clone = waker.clone();
        clone.wake_by_ref();
        waker.wake();
        drop(clone);
    })
    .join()
    .unwrap();
}

fn check_end(case: &Case, task: Option<Task<Counted>>, reports: &Reports) {
    let panics = case.end == End::Panic;
    if let Some(task) = task {
        let result = futures::executor::block_on(task);
        assert_eq!(result.is_ok(), case.end == End::Complete, "{case}");
        if let Err(error) = result {
            assert_eq!(error.is_panic(), panics, "{case}");
            assert_eq!(error.is_cancelled(), !panics, "{case}");
        }
        assert_eq!(reports.len(), 0, "{case}");
    } else if panics && case.handle == Handle::Dropped {
        reports.assert_taken([(ReportKind::TaskPanicked, "the panic of the case")]);
    } else {
        assert_eq!(reports.len(), 0, "{case}");
    }
}

// ---- wakers ----

#[test]
fn a_waker_that_is_kept_in_its_own_future_goes_with_it() {
    let drops = Drops::default();
    let mut event_loop = virtual_loop();
    let slot = Rc::new(RefCell::new(Vec::new()));
    let task = event_loop.handle().spawn({
        let counted = drops.counted();
        let mut own = Vec::new();
        poll_fn(move |cx| {
            let _counted = &counted;
            own.push(cx.waker().clone());
            Poll::<()>::Pending
        })
    });
    slot.borrow_mut().push(task);
    event_loop.run_until_complete(turns(2)).unwrap();
    drop(event_loop);
    assert_eq!(drops.count(), 1);
}

#[test]
fn many_threads_clone_wake_and_drop_wakers_while_the_task_ends() {
    for round in 0..50 {
        let drops = Drops::default();
        let mut event_loop = EventLoop::new().unwrap();
        let gate = Gate::new();
        let task = event_loop.handle().spawn({
            let (gate, counted) = (gate.clone(), drops.counted());
            async move {
                let _counted = counted;
                gate.await;
            }
        });
        event_loop.run_until_complete(turns(1)).unwrap();
        let waker = gate.waker();
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let waker = waker.clone();
                thread::spawn(move || {
                    for _ in 0..100 {
                        let clones = [waker.clone(), waker.clone()];
                        clones[0].wake_by_ref();
                        drop(clones);
                    }
                    waker.wake();
                })
            })
            .collect();
        drop(waker);
        match round % 3 {
            0 => gate.open(),
            1 => drop(task.cancel()),
            _ => {}
        }
        if round % 3 != 2 {
            let _ = event_loop.run_until_complete(task).unwrap();
        } else {
            event_loop.run_until_complete(turns(20)).unwrap();
            drop(task);
        }
        drop(event_loop);
        gate.forget_waker();
        assert_eq!(drops.count(), 1);
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(drops.all_on_this_thread());
    }
}

#[test]
fn a_waker_is_woken_and_dropped_by_a_thread_local_destructor_at_thread_exit() {
    struct WakesOnDrop(Waker);
    impl Drop for WakesOnDrop {
        fn drop(&mut self) {
            self.0.wake_by_ref();
        }
    }
    thread_local! {
        static LAST: RefCell<Option<WakesOnDrop>> = const { RefCell::new(None) };
    }
    let mut event_loop = EventLoop::new().unwrap();
    let gate = Gate::new();
    let task = event_loop.handle().spawn(gate.clone());
    event_loop.run_until_complete(turns(1)).unwrap();
    let waker = gate.waker();
    gate.unlock();
    thread::spawn(move || LAST.set(Some(WakesOnDrop(waker))))
        .join()
        .unwrap();
    event_loop.run_until_complete(task).unwrap().unwrap();

    // The same at the exit of the loop's own thread, after the loop is gone.
    let own = thread::spawn(|| {
        let mut event_loop = EventLoop::new().unwrap();
        let gate = Gate::new();
        event_loop.handle().spawn(gate.clone());
        event_loop.run_until_complete(turns(1)).unwrap();
        LAST.set(Some(WakesOnDrop(gate.waker())));
    });
    own.join().unwrap();
}

#[test]
fn a_loop_kept_in_a_thread_local_is_closed_at_thread_exit() {
    thread_local! {
        static LOOP: RefCell<Option<EventLoop>> = const { RefCell::new(None) };
        static TASK: RefCell<Option<Task<()>>> = const { RefCell::new(None) };
    }
    let (sender, receiver) = mpsc::channel();
    let exit = thread::spawn(move || {
        let mut event_loop = virtual_loop();
        let ends = OnDrop::new(move || {
            assert!(LoopHandle::try_current().is_some() && current_task().is_some());
            let refused = spawn(async {});
            assert!(refused.is_finished());
            sender.send("dropped").unwrap();
        });
        let task = event_loop.handle().spawn(async move {
            let _ends = ends;
            pending::<()>().await;
        });
        event_loop.run_until_complete(turns(2)).unwrap();
        TASK.set(Some(task));
        LOOP.set(Some(event_loop));
    });
    exit.join().unwrap();
    assert_eq!(receiver.try_recv(), Ok("dropped"));
}

#[coro::test]
async fn a_foreign_waker_may_use_the_loop_when_it_is_dropped_wherever_that_is() {
    let busy = |future: &mut (dyn Future<Output = ()> + Unpin)| {
        let waker = BusyWaker::waker();
        assert!(
            Pin::new(future)
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    };
    // The timer's waker is dropped with it, replaced, or dropped after it has fired.
    let mut sleeps = [1, 1, 1].map(|millis| sleep(ms(millis)));
    sleeps.iter_mut().for_each(|sleep| busy(sleep));
    busy(&mut sleeps[0]);
    let [_, dropped, _fires] = sleeps;
    drop(dropped);
    sleep(ms(2)).await;
    // The joiner's waker is replaced, dropped with the handle, or dropped after the task has ended.
    for ends in [false, true] {
        let gate = Gate::new();
        let mut joined = Some(spawn(gate.clone()));
        let mut join = poll_fn(|cx| match joined.as_mut() {
            Some(task) => Pin::new(task).poll(cx).map(drop),
            None => Poll::Pending,
        });
        busy(&mut join);
        busy(&mut join);
        turns(1).await;
        if ends {
            gate.open();
            turns(2).await;
        }
        drop(joined.take());
        gate.open();
    }
    // The descriptor's waker is replaced, then dropped with the operation.
    let listener = coro::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut accept = Box::pin(async { drop(listener.accept().await) });
    busy(&mut accept);
    busy(&mut accept);
    drop(accept);
    sleep(ms(5)).await;
    assert_eq!(LoopHandle::current().all_tasks().len(), 0);
}

#[coro::test]
async fn a_handle_that_cancels_on_drop_does_so_though_the_joiners_waker_panics() {
    struct PanicsAtLast;
    impl std::task::Wake for PanicsAtLast {
        fn wake(self: std::sync::Arc<Self>) {}
    }
    impl Drop for PanicsAtLast {
        fn drop(&mut self) {
            panic!("the last of a waker");
        }
    }
    let reports = Reports::here();
    let mut task = spawn(pending::<()>()).cancel_on_drop();
    let seen = task.handle();
    let waker = Waker::from(std::sync::Arc::new(PanicsAtLast));
    assert!(
        Pin::new(&mut task)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop(waker);
    drop(task);
    turns(2).await;
    assert!(seen.is_finished());
    reports.assert_taken([(ReportKind::DropPanicked, "the last of a waker")]);
}
