//! Tasks: their results, their done callbacks, their names.

use std::future::{pending, ready};
use std::pin::Pin;
use std::task::Context;

use coro::event_loop::ReportKind;
use coro::task::{TaskHandle, current_task};
use coro::{EventLoop, JoinError, LoopHandle, call_soon, spawn, yield_now};

use crate::support::{Gate, OnDrop, Reports, Trace, ms, panic_of, turns};

// ---- results ----

#[coro::test]
async fn a_task_gives_its_output_once() {
    let mut task = spawn(async { String::from("output") });
    assert_eq!((&mut task).await.unwrap(), "output");
    assert!(task.is_finished());
    let name = task.name();
    let text = panic_of(|| futures::executor::block_on(&mut task));
    assert_eq!(
        text,
        format!("{name} was polled again after it gave its output")
    );
}

#[coro::test]
async fn a_panic_is_given_to_the_waiter_and_not_reported() {
    let reports = Reports::here();
    let number = std::hint::black_box(7);
    let task = spawn(async move { panic!("number {number}") });
    let error: JoinError = task.await.unwrap_err();
    assert!(error.is_panic() && !error.is_cancelled() && !error.is_deadlock());
    assert!(error.to_string().ends_with("panicked: number 7"), "{error}");
    assert_eq!(
        *error.into_panic().downcast::<String>().unwrap(),
        "number 7"
    );
    assert_eq!(reports.len(), 0);
}

#[coro::test]
async fn a_cancelled_task_says_so_and_has_no_panic_to_give() {
    let task = spawn(pending::<()>());
    task.cancel();
    let error = task.await.unwrap_err();
    assert!(error.is_cancelled() && !error.is_panic());
    let error = error.try_into_panic().unwrap_err();
    let text = panic_of(|| error.into_panic());
    assert!(text.contains("ask is_panic() first"), "{text}");
}

#[coro::test]
async fn the_latest_waker_of_a_joiner_is_the_one_that_is_woken() {
    let gate = Gate::new();
    let mut task = spawn(gate.clone());
    let (first, first_waker) = crate::support::Wakes::new();
    let (second, second_waker) = crate::support::Wakes::new();
    for waker in [&first_waker, &second_waker, &second_waker] {
        let polled = Pin::new(&mut task).poll(&mut Context::from_waker(waker));
        assert!(polled.is_pending());
    }
    yield_now().await;
    gate.open();
    turns(2).await;
    assert_eq!((first.count(), second.count()), (0, 1));
    task.await.unwrap();
}

#[coro::test]
async fn a_dropped_await_loses_nothing() {
    let gate = Gate::new();
    let mut task = spawn({
        let gate = gate.clone();
        async move {
            gate.await;
            5
        }
    });
    assert!(coro::timeout(ms(1), &mut task).await.is_err());
    gate.open();
    assert_eq!(task.await.unwrap(), 5);
}

// ---- done callbacks ----

#[coro::test]
async fn done_callbacks_are_called_by_the_loop_in_the_order_in_which_they_were_added() {
    let trace = Trace::new();
    let task = spawn(ready(()));
    for name in ["first", "second"] {
        let trace = trace.clone();
        task.add_done_callback(move |task| {
            assert!(task.is_finished() && current_task().is_none());
            trace.add(name);
        });
    }
    yield_now().await;
    trace.add("done");
    assert!(task.is_finished());
    yield_now().await;
    trace.assert_taken(["done", "first", "second"]);
    let late = trace.adder("late");
    task.add_done_callback(move |_| late());
    trace.add("added late");
    yield_now().await;
    trace.assert(["added late", "late"]);
}

#[coro::test]
async fn done_callbacks_of_cancelled_panicked_and_detached_tasks_are_called_too() {
    let reports = Reports::here();
    let trace = Trace::new();
    let cancelled = spawn(pending::<()>());
    let panicked = spawn(async { panic!("seen by nobody") });
    for (task, name) in [(&cancelled, "cancelled"), (&panicked, "panicked")] {
        let called = trace.adder(name);
        task.add_done_callback(move |_| called());
    }
    let detached = spawn(yield_now());
    let called = trace.adder("detached");
    detached.add_done_callback(move |_| called());
    drop(detached);
    cancelled.cancel();
    turns(3).await;
    trace.assert(["cancelled", "panicked", "detached"]);
    drop(panicked);
    reports.assert_taken([(ReportKind::TaskPanicked, "seen by nobody")]);
}

// ---- names, listings, the current task ----

#[coro::test]
async fn tasks_have_names_numbers_and_origins() {
    let task = spawn(ready(()));
    let next = spawn(ready(()));
    assert!(next.id() > task.id());
    assert_eq!(task.name(), format!("Task-{}", task.id()));
    task.set_name("fetch");
    let handle = task.handle();
    assert_eq!(
        (task.name(), handle.name()),
        ("fetch".into(), "fetch".into())
    );
    handle.set_name(String::from("other"));
    assert_eq!(task.name(), "other");
    assert_eq!(handle.id(), task.id());
    assert!(handle.origin().file().ends_with("tasks.rs"));
    assert_eq!(format!("{task:?}"), "Task(other queued)");
    task.await.unwrap();
    assert_eq!(format!("{handle:?}"), "TaskHandle(other finished)");
    assert!(handle == handle.clone() && handle != next.handle());
}

#[coro::test]
async fn the_debug_form_of_a_handle_shows_the_state_of_its_task() {
    let state = |task: &TaskHandle| {
        let text = format!("{task:?}");
        let text = text.strip_prefix("TaskHandle(fetch ").unwrap();
        text.strip_suffix(')').unwrap().to_owned()
    };
    let gate = Gate::new();
    let task = spawn({
        let gate = gate.clone();
        async move {
            let task = current_task().unwrap();
            task.set_name("fetch");
            let running = state(&task);
            gate.await;
            running
        }
    });
    task.set_name("fetch");
    let handle = task.handle();
    assert_eq!(state(&handle), "queued");
    turns(1).await;
    assert_eq!(state(&handle), "idle");
    gate.open();
    assert_eq!(state(&handle), "queued");
    assert_eq!(task.await.unwrap(), "running");
    assert_eq!(state(&handle), "finished");

    let task = spawn(pending::<()>());
    task.set_name("fetch");
    let handle = task.handle();
    turns(1).await;
    task.cancel();
    assert_eq!(state(&handle), "queued, cancelled");
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(state(&handle), "finished");
}

#[coro::test]
async fn all_tasks_lists_the_unfinished_in_spawn_order() {
    let handle = LoopHandle::current();
    let names = || -> Vec<String> { handle.all_tasks().iter().map(TaskHandle::name).collect() };
    assert_eq!(names(), [""; 0]);
    let gates = ["a", "b", "c"].map(|name| {
        let gate = Gate::new();
        spawn(gate.clone()).set_name(name);
        gate
    });
    handle.spawn_eager(Gate::new()).set_name("eager");
    assert_eq!(names(), ["a", "b", "c", "eager"]);
    yield_now().await;
    gates[1].open();
    yield_now().await;
    assert_eq!(names(), ["a", "c", "eager"]);
    for task in handle.all_tasks() {
        task.cancel();
    }
    yield_now().await;
    assert_eq!(names(), [""; 0]);
}

#[coro::test]
async fn the_current_task_is_known_in_steps_eager_polls_and_destructors_but_not_in_callouts() {
    let seen = Trace::new();
    let look = |seen: &Trace| {
        let seen = seen.clone();
        move || seen.add(current_task().map_or("none".into(), |task| task.name()))
    };
    look(&seen)();
    let destructor = OnDrop::new(look(&seen));
    let step = look(&seen);
    let task = spawn(async move {
        step();
        let _destructor = destructor;
        pending::<()>().await;
    });
    task.set_name("task");
    let (outer, inner, after) = (look(&seen), look(&seen), look(&seen));
    spawn(async move {
        current_task().unwrap().set_name("parent");
        outer();
        let child = LoopHandle::current().spawn_eager(async move {
            current_task().unwrap().set_name("eager");
            inner();
        });
        after();
        child.await.unwrap();
    });
    call_soon(look(&seen));
    yield_now().await;
    task.cancel();
    yield_now().await;
    seen.assert(["main", "task", "parent", "eager", "parent", "none", "task"]);
    assert!(
        !current_task().unwrap().cancel(),
        "the main future ends by returning"
    );
}

#[test]
fn a_hundred_thousand_tasks_are_joined_in_batches() {
    let mut event_loop = EventLoop::new().unwrap();
    let sum = event_loop.run_until_complete(async {
        let mut sum = 0_u64;
        for batch in 0..100 {
            let tasks: Vec<_> = (0..1000).map(|n| spawn(async move { n + batch })).collect();
            for task in tasks {
                sum += task.await.unwrap();
            }
        }
        sum
    });
    assert_eq!(sum, Ok((0..100).map(|batch| 499_500 + batch * 1000).sum()));
}

#[coro::test]
async fn a_future_of_a_64_kilobytes_runs_in_a_task() {
    let big = [7_u8; 1 << 16];
    let task = spawn(async move {
        yield_now().await;
        big[big.len() - 1]
    });
    assert_eq!(task.await.unwrap(), 7);
}
