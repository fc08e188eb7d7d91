//! The end of a loop: alone, beside other loops, with destructors that ask for more.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::task::{Context, Waker};

use coro::event_loop::ReportKind;
use coro::task::current_task;
use coro::{EventLoop, LoopHandle, Task, call_soon, sleep, spawn};

use crate::support::{
    Drops, Gate, OnDrop, PanicOnDrop, Reports, Trace, ms, panic_of, turns, virtual_loop,
};

// ---- several loops ----

#[test]
fn a_loop_owned_by_a_task_of_another_closes_within_the_others_closing() {
    let trace = Trace::new();
    let mut outer = virtual_loop();
    let inner = virtual_loop();
    let held = |trace: &Trace, event, of: &LoopHandle| {
        let (trace, of) = (trace.clone(), of.clone());
        OnDrop::new(move || {
            assert!(LoopHandle::current() == of, "inside of its own loop");
            trace.add(event);
        })
    };
    let guard = held(&trace, "task of the inner loop", &inner.handle());
    inner.handle().spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    let guard = held(&trace, "task that owns it", &outer.handle());
    outer.handle().spawn(async move {
        let _guard = guard;
        let _inner = inner;
        pending::<()>().await;
    });
    outer.run_until_complete(turns(2)).unwrap();
    outer.close();
    trace.assert(["task of the inner loop", "task that owns it"]);
    assert!(LoopHandle::try_current().is_none());
}

#[test]
fn two_loops_of_a_thread_are_dropped_in_either_order() {
    for first_first in [true, false] {
        let drops = Drops::default();
        let make = || {
            let mut event_loop = virtual_loop();
            let counted = drops.counted();
            let task = event_loop.handle().spawn(async move {
                let _counted = counted;
                pending::<()>().await;
            });
            event_loop.run_until_complete(turns(2)).unwrap();
            (event_loop, task)
        };
        let ((first, first_task), (second, second_task)) = (make(), make());
        if first_first {
            drop(first);
            drop(second);
        } else {
            drop(second);
            drop(first);
        }
        assert!(first_task.is_finished() && second_task.is_finished());
        assert_eq!(drops.count(), 2);
        assert!(LoopHandle::try_current().is_none());
    }
}

#[test]
fn a_loop_dropped_inside_another_leaves_the_other_where_it_was() {
    let mut outer = virtual_loop();
    let trace = Trace::new();
    let main = async {
        let here = LoopHandle::current();
        let inner = virtual_loop();
        let (seen, trace_inner) = (here.clone(), trace.clone());
        let guard = OnDrop::new(move || {
            assert!(
                LoopHandle::current() != seen,
                "inside of the loop that closes"
            );
            trace_inner.add("inner task dropped");
        });
        inner.handle().spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        drop(inner);
        assert!(LoopHandle::current() == here && current_task().unwrap().name() == "main");
        sleep(ms(1)).await;
    };
    outer.run_until_complete(main).unwrap();
    trace.assert(["inner task dropped"]);
}

#[test]
fn a_task_can_be_awaited_by_another_loop_of_the_thread() {
    let (mut first, mut second) = (virtual_loop(), EventLoop::new().unwrap());
    let gate = Gate::new();
    let task = first.handle().spawn(gate.clone());
    let mut waits = std::pin::pin!(task);
    let once = async { coro::timeout(ms(1), waits.as_mut()).await.is_err() };
    assert_eq!(second.run_until_complete(once), Ok(true));
    gate.open();
    first.run_until_complete(turns(2)).unwrap();
    second.run_until_complete(waits).unwrap().unwrap();
}

// ---- closing ----

#[test]
fn closing_drops_tasks_in_spawn_order_and_callouts_uncalled() {
    let trace = Trace::new();
    let mut event_loop = virtual_loop();
    let handle = event_loop.handle();
    let hold = |event| {
        let guard = trace.on_drop(event);
        move || {
            let _guard = guard;
            unreachable!("it must not be called");
        }
    };
    handle.call_soon(hold("soon"));
    let kept = handle.call_later(ms(2), hold("2 ms, handle kept"));
    handle.call_later(ms(1), hold("1 ms"));
    for event in ["first task", "second task"] {
        let guard = trace.on_drop(event);
        handle.spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
    }
    event_loop.close();
    trace.assert([
        "first task",
        "second task",
        "soon",
        "1 ms",
        "2 ms, handle kept",
    ]);
    assert!(kept.is_cancelled() && handle.is_closed());
    event_loop.close();
}

#[test]
fn requests_of_destructors_while_the_loop_closes_are_refused_quietly() {
    let mut event_loop = virtual_loop();
    let handle = event_loop.handle();
    let reports = Reports::of(&handle);
    let (drops, asked) = (Drops::default(), Rc::new(Cell::new(0)));
    let armed = Rc::new(RefCell::new(Vec::new()));
    let ask = || {
        let (drops, asked, armed) = (drops.clone(), asked.clone(), armed.clone());
        OnDrop::new(move || {
            let handle = LoopHandle::current();
            let counted = || drops.counted();
            let (a, b, c, d) = (counted(), counted(), counted(), counted());
            assert!(handle.spawn(async move { drop(a) }).is_finished());
            assert!(handle.spawn_eager(async move { drop(b) }).is_finished());
            assert!(handle.call_soon(move || drop(c)).is_cancelled());
            let timer = handle.call_later(ms(1), move || drop(d));
            assert!(timer.is_cancelled());
            let mut sleep = Box::pin(sleep(ms(1)));
            let waker = Waker::noop();
            assert!(
                sleep
                    .as_mut()
                    .poll(&mut Context::from_waker(waker))
                    .is_pending()
            );
            armed.borrow_mut().push(sleep);
            for task in handle.all_tasks() {
                task.cancel();
            }
            assert!(!handle.is_closed());
            asked.set(asked.get() + 1);
        })
    };
    let in_task = || {
        let guard = ask();
        async move {
            let _guard = guard;
            pending::<()>().await;
        }
    };
    let done = handle.spawn(in_task());
    let guard = ask();
    done.add_done_callback(move |_| drop(guard));
    handle.spawn(in_task());
    let (soon, later) = (ask(), ask());
    handle.call_soon(move || drop(soon));
    let _kept = handle.call_later(ms(5), move || drop(later));
    event_loop.close();
    assert_eq!((asked.get(), drops.count(), armed.take().len()), (5, 20, 5));
    assert_eq!(reports.len(), 0);
}

#[test]
fn panics_of_destructors_are_each_reported_while_the_loop_closes() {
    let mut event_loop = virtual_loop();
    let handle = event_loop.handle();
    let reports = Reports::of(&handle);
    let bomb = |text| {
        let bomb = PanicOnDrop(text);
        move || drop(bomb)
    };
    let task = handle.spawn(async {
        let _bomb = PanicOnDrop("task");
        pending::<()>().await;
    });
    let callback = bomb("done callback");
    task.add_done_callback(move |_| callback());
    for text in ["soon 1", "soon 2"] {
        handle.call_soon(bomb(text));
    }
    for text in ["timer 1", "timer 2"] {
        handle.call_later(ms(1), bomb(text));
    }
    let remote = handle.remote();
    for text in ["remote 1", "remote 2"] {
        remote.call_soon(bomb(text)).unwrap();
    }
    event_loop.run_until_complete(async {}).unwrap();
    // That run took one turn, which called these callouts. The others are left for the close.
    reports.assert_taken(
        ["soon 1", "soon 2", "remote 1", "remote 2"]
            .map(|text| (ReportKind::CalloutPanicked, text)),
    );
    for text in ["soon 1", "soon 2"] {
        handle.call_soon(bomb(text));
    }
    for text in ["remote 1", "remote 2"] {
        remote.call_soon(bomb(text)).unwrap();
    }
    event_loop.close();
    reports.assert_taken(
        [
            "task",
            "done callback",
            "remote 1",
            "remote 2",
            "soon 1",
            "soon 2",
            "timer 1",
            "timer 2",
        ]
        .map(|text| (ReportKind::DropPanicked, text)),
    );
}

#[test]
fn a_panic_of_main_and_panics_of_destructors_do_not_abort() {
    let text = panic_of(|| {
        coro::run(async {
            LoopHandle::current().set_exception_handler(|_| ());
            spawn(async {
                let _bomb = PanicOnDrop("while unwinding");
                pending::<()>().await;
            });
            sleep(ms(1)).await;
            panic!("main");
        })
    });
    assert_eq!(text, "main");
}

#[test]
fn run_lets_cancelled_tasks_end_and_their_callbacks_be_called_before_it_returns() {
    let trace = Trace::new();
    coro::run(async {
        let guard = trace.on_drop("task dropped");
        let task = spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        let called = trace.adder("done callback");
        task.add_done_callback(move |_| called());
        sleep(ms(1)).await;
        trace.add("main");
    });
    trace.assert(["main", "task dropped", "done callback"]);
}

#[test]
fn the_loops_memory_and_descriptors_go_with_the_last_handle() {
    let drops = Drops::default();
    let event_loop = virtual_loop();
    let handle = event_loop.handle();
    let counted = drops.counted();
    handle.set_exception_handler(move |_| {
        let _counted = &counted;
    });
    let timer = handle.call_later(ms(1), || ());
    let soon = handle.call_soon(|| ());
    drop(event_loop);
    drop((timer, soon));
    assert_eq!(drops.count(), 0);
    drop(handle);
    assert_eq!(drops.count(), 1);
}

#[test]
fn callouts_free_their_closures_when_called_cancelled_or_dropped_with_any_handle() {
    for keep in [true, false] {
        let drops = Drops::default();
        let mut event_loop = virtual_loop();
        let handle = event_loop.handle();
        let closure = || {
            let counted = drops.counted();
            move || drop(counted)
        };
        let soon = [0; 3].map(|_| handle.call_soon(closure()));
        let later = [1, 1, 9].map(|millis| handle.call_later(ms(millis), closure()));
        soon[1].cancel();
        later[1].cancel();
        assert_eq!(drops.count(), 2);
        let (soon, later) = if keep {
            (Some(soon), Some(later))
        } else {
            (None, None)
        };
        event_loop.run_until_complete(sleep(ms(2))).unwrap();
        assert_eq!(drops.count(), 5);
        drop(event_loop);
        assert_eq!(drops.count(), 6);
        drop((soon, later));
        assert_eq!(drops.count(), 6);
    }
}

#[coro::test]
async fn a_callout_may_cancel_and_drop_its_own_handle() {
    let slot = Rc::new(Cell::new(None));
    let drops = Drops::default();
    let (own, counted) = (slot.clone(), drops.counted());
    slot.set(Some(call_soon(move || {
        let _counted = counted;
        let handle: coro::event_loop::CallHandle = own.take().unwrap();
        handle.cancel();
        assert!(!handle.is_cancelled(), "it is being called");
    })));
    turns(1).await;
    assert_eq!(drops.count(), 1);
}

#[coro::test]
async fn destructors_in_a_running_loop_may_spawn_cancel_and_detach() {
    let trace = Trace::new();
    let others: Vec<_> = (0..100).map(|_| spawn(pending::<()>())).collect();
    let seen: Vec<_> = others.iter().map(Task::handle).collect();
    let guard = OnDrop::new({
        let trace = trace.clone();
        move || {
            for task in &others {
                task.cancel();
            }
            drop(others);
            for _ in 0..100 {
                let trace = trace.clone();
                spawn(async move { trace.add("spawned") });
            }
        }
    });
    let task = spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    turns(1).await;
    drop(task.cancel_on_drop());
    turns(3).await;
    assert_eq!(trace.len(), 100);
    assert!(seen.iter().all(coro::task::TaskHandle::is_finished));
}
