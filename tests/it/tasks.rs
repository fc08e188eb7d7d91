//! Tasks: what they end with, how they are cancelled, what is told of them.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, ready};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use coro::{
    EventLoop, JoinError, LoopHandle, ReportKind, Task, TaskHandle, call_soon, current_task, sleep,
    spawn, yield_now,
};

use crate::support::{
    Drops, Gate, OnDrop, PanicOnDrop, PanickyWaker, Pending, Reports, Trace, ms, panic_of, turns,
    virtual_loop,
};

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
async fn a_panic_is_given_to_whoever_awaits_it_and_not_reported() {
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

// ---- cancelling ----

#[coro::test]
async fn a_task_cancelled_before_its_first_poll_drops_what_it_captured_unpolled() {
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
async fn a_task_that_cancels_its_parent_and_two_that_cancel_each_other_all_end() {
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
    assert!(second.await.unwrap_err().is_cancelled());
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
    assert_eq!(format!("{task:?}"), "Task(other unfinished)");
    task.await.unwrap();
    assert_eq!(format!("{handle:?}"), "TaskHandle(other finished)");
    assert!(handle == handle.clone() && handle != next.handle());
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

// ---- what nobody saw ----

#[coro::test]
async fn a_panic_that_nobody_saw_is_reported_once_when_the_last_who_could_is_gone() {
    let reports = Reports::here();
    let detached = spawn(async { panic!("detached") });
    detached.set_name("lost");
    drop(detached);
    assert_eq!(reports.len(), 0);
    yield_now().await;
    let all = reports.take();
    assert_eq!(all.len(), 1, "at its end, as nobody holds it");
    assert_eq!(
        (all[0].kind, &*all[0].message),
        (ReportKind::TaskPanicked, "detached")
    );
    assert_eq!(all[0].task.as_deref(), Some("lost"));
    assert!(all[0].origin.unwrap().file().ends_with("tasks.rs"));

    let kept = spawn(async { panic!("kept") });
    let handle = kept.handle();
    turns(3).await;
    assert_eq!(reports.len(), 0, "somebody may still look");
    drop(kept);
    reports.assert_taken([(ReportKind::TaskPanicked, "kept")]);
    drop(handle);
    turns(2).await;
    assert_eq!(reports.len(), 0);
}

#[coro::test]
async fn an_error_that_nobody_saw_is_reported_and_one_that_was_seen_is_not() {
    let reports = Reports::here();
    let fails = || async { Err::<(), _>(io::Error::other("no space")) };
    drop(spawn(fails()));
    let kept = spawn(fails());
    let seen = spawn(fails());
    assert!(seen.await.unwrap().is_err());
    reports.assert_taken([(ReportKind::TaskFailed, "no space")]);
    drop(kept);
    reports.assert_taken([(ReportKind::TaskFailed, "no space")]);

    type Boxed = Box<dyn std::error::Error>;
    drop(spawn(async { Err::<(), Boxed>("boxed".into()) }));
    type Shared = Box<dyn std::error::Error + Send + Sync>;
    drop(spawn(async {
        Err::<(), Shared>("boxed and shared".into())
    }));
    drop(spawn(async { Err::<(), String>("text".into()) }));
    drop(spawn(async { Err::<(), &'static str>("literal") }));
    drop(spawn(async { Err::<(), coro::Elapsed>(coro::Elapsed) }));
    drop(spawn(async { Ok::<(), io::Error>(()) }));
    yield_now().await;
    let kind = ReportKind::TaskFailed;
    reports.assert_taken([
        (kind, "boxed"),
        (kind, "boxed and shared"),
        (kind, "text"),
        (kind, "literal"),
        (kind, "the deadline has passed"),
    ]);
}

#[coro::test]
async fn a_cancelled_task_that_nobody_awaits_is_no_failure() {
    let reports = Reports::here();
    let task = spawn(pending::<()>());
    task.cancel();
    drop(task);
    turns(2).await;
    assert_eq!(reports.len(), 0);
}

#[test]
fn what_a_handle_outlives_its_loop_with_is_still_reported() {
    let event_loop = virtual_loop();
    let handle = event_loop.handle();
    let reports = Reports::of(&handle);
    let mut event_loop = event_loop;
    let task = handle.spawn(async { panic!("late") });
    event_loop.run_until_complete(turns(2)).unwrap();
    drop(event_loop);
    assert_eq!(reports.len(), 0);
    drop(task);
    reports.assert_taken([(ReportKind::TaskPanicked, "late")]);
}

// ---- panics everywhere ----

#[coro::test]
async fn a_panic_in_the_drop_of_a_future_is_reported_once_and_changes_no_result() {
    let reports = Reports::here();
    let drops = Drops::default();
    /// Ready at once, and panics when it is dropped.
    struct Bomb(#[expect(dead_code)] PanicOnDrop);
    impl Future for Bomb {
        type Output = u32;
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
            Poll::Ready(6)
        }
    }
    let completes = spawn(Bomb(PanicOnDrop("after the end")));
    assert_eq!(completes.await.unwrap(), 6);
    reports.assert_taken([(ReportKind::DropPanicked, "after the end")]);

    let (first, second) = (drops.counted(), drops.counted());
    let cancelled = spawn(async move {
        let _first = first;
        let _bomb = PanicOnDrop("on cancel");
        let _second = second;
        pending::<()>().await;
    });
    yield_now().await;
    cancelled.cancel();
    assert!(cancelled.await.unwrap_err().is_cancelled());
    assert_eq!(drops.count(), 2);
    let all = reports.take();
    assert_eq!(all.len(), 1);
    assert_eq!(
        (all[0].kind, &*all[0].message),
        (ReportKind::DropPanicked, "on cancel")
    );
    assert!(all[0].task.is_some());
    assert_eq!(spawn(ready(1)).await.unwrap(), 1, "the loop goes on");
}

#[coro::test]
async fn a_panic_in_the_drop_of_an_output_that_nobody_took_is_reported_once() {
    let reports = Reports::here();
    drop(spawn(async { PanicOnDrop("detached output") }));
    let kept = spawn(async { PanicOnDrop("kept output") });
    yield_now().await;
    reports.assert_taken([(ReportKind::DropPanicked, "detached output")]);
    drop(kept);
    reports.assert_taken([(ReportKind::DropPanicked, "kept output")]);
}

#[coro::test]
async fn a_payload_whose_drop_panics_is_contained() {
    let reports = Reports::here();
    let throw = || async { std::panic::panic_any(PanicOnDrop("the payload")) };
    drop(spawn(throw()));
    call_soon(|| std::panic::panic_any(PanicOnDrop("the payload")));
    turns(2).await;
    let kinds: Vec<_> = reports.take().iter().map(|report| report.kind).collect();
    assert_eq!(kinds[..1], [ReportKind::TaskPanicked]);
    assert!(kinds.contains(&ReportKind::CalloutPanicked));
    assert!(spawn(ready(())).await.is_ok(), "the loop goes on");
}

#[coro::test]
async fn a_panic_in_a_callout_or_done_callback_is_reported_and_the_next_is_called() {
    let reports = Reports::here();
    let trace = Trace::new();
    call_soon(|| panic!("soon"));
    call_soon(trace.adder("after soon"));
    coro::call_later(ms(1), || panic!("later"));
    coro::call_later(ms(1), trace.adder("after later"));
    let task = spawn(ready(()));
    task.add_done_callback(|_| panic!("done"));
    let after = trace.adder("after done");
    task.add_done_callback(move |_| after());
    sleep(ms(2)).await;
    trace.assert(["after soon", "after done", "after later"]);
    let kind = ReportKind::CalloutPanicked;
    reports.assert_taken([(kind, "soon"), (kind, "done"), (kind, "later")]);
}

#[coro::test]
async fn a_handler_that_panics_stops_neither_the_loop_nor_the_next_report() {
    let calls = Rc::new(Cell::new(0));
    let counted = calls.clone();
    LoopHandle::current().set_exception_handler(move |_| {
        counted.set(counted.get() + 1);
        panic!("the handler itself");
    });
    call_soon(|| panic!("first"));
    call_soon(|| panic!("second"));
    drop(spawn(async { panic!("third") }));
    yield_now().await;
    assert_eq!(calls.get(), 3);
    let reports = Reports::here();
    call_soon(|| panic!("fourth"));
    yield_now().await;
    reports.assert_taken([(ReportKind::CalloutPanicked, "fourth")]);
}

#[coro::test]
async fn a_handler_may_use_the_loop_and_set_another_handler() {
    let reports = Rc::new(RefCell::new(None));
    let slot = reports.clone();
    let trace = Trace::new();
    let called = Cell::new(Some(trace.adder("called")));
    LoopHandle::current().set_exception_handler(move |_| {
        call_soon(called.take().unwrap());
        *slot.borrow_mut() = Some(Reports::here());
    });
    call_soon(|| panic!("one"));
    turns(2).await;
    trace.assert(["called"]);
    call_soon(|| panic!("two"));
    yield_now().await;
    let reports = reports.take().unwrap();
    reports.assert_taken([(ReportKind::CalloutPanicked, "two")]);
}

#[coro::test]
async fn a_joiner_whose_waker_panics_is_reported_and_harms_nobody() {
    let reports = Reports::here();
    let gate = Gate::new();
    let mut task = spawn(gate.clone());
    let waker = PanickyWaker::waker();
    assert!(
        Pin::new(&mut task)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    let trace = Trace::new();
    let called = trace.adder("done callback");
    task.add_done_callback(move |_| called());
    yield_now().await;
    gate.open();
    turns(3).await;
    reports.assert_taken([(ReportKind::WakePanicked, "a waker that panics")]);
    trace.assert(["done callback"]);
    task.await.unwrap();
    assert_eq!(LoopHandle::current().all_tasks().len(), 0);
}

#[coro::test]
async fn a_timer_whose_waker_panics_is_reported_and_the_other_timers_fire() {
    let reports = Reports::here();
    let waker = PanickyWaker::waker();
    let mut sleeps = [sleep(ms(1)), sleep(ms(1))].map(Box::pin);
    for sleep in &mut sleeps {
        assert!(
            sleep
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    let trace = Trace::new();
    coro::call_later(ms(1), trace.adder("fired"));
    sleep(ms(2)).await;
    trace.assert(["fired"]);
    let kind = ReportKind::WakePanicked;
    reports.assert_taken([(kind, "a waker that panics"), (kind, "a waker that panics")]);
}

#[coro::test]
async fn an_error_whose_text_panics_is_reported_and_harms_nobody() {
    #[derive(Debug)]
    struct Mute;
    impl std::fmt::Display for Mute {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no words")
        }
    }
    impl std::error::Error for Mute {}
    let reports = Reports::here();
    drop(spawn(async {
        Err::<(), Box<dyn std::error::Error>>(Box::new(Mute))
    }));
    let kept = spawn(async { Err::<(), io::Error>(io::Error::other(Mute)) });
    turns(2).await;
    drop(kept);
    let all = reports.take();
    assert_eq!(all.len(), 2);
    assert!(
        all.iter()
            .all(|report| report.kind == ReportKind::TaskFailed)
    );
    assert_eq!(LoopHandle::current().all_tasks().len(), 0);
}

#[test]
fn a_panic_of_the_main_future_passes_through_and_the_loop_can_run_again() {
    let mut event_loop = virtual_loop();
    let text = panic_of(|| event_loop.run_until_complete(async { panic!("main") }));
    assert_eq!(text, "main");
    assert!(LoopHandle::try_current().is_none());
    assert_eq!(event_loop.run_until_complete(ready(1)), Ok(1));

    let drops = Drops::default();
    let counted = drops.counted();
    let text = panic_of(|| {
        coro::run(async move {
            spawn(async move {
                let _counted = counted;
                pending::<()>().await;
            });
            yield_now().await;
            panic!("of run");
        })
    });
    assert_eq!((text.as_str(), drops.count()), ("of run", 1));
}

#[coro::test]
async fn a_future_is_not_polled_after_it_panicked() {
    let polls = Rc::new(Cell::new(0));
    let counted = polls.clone();
    let gate = Gate::new();
    let wakes = gate.clone();
    let task = spawn(poll_fn(move |cx| -> Poll<()> {
        let _ = Pin::new(&mut wakes.clone()).poll(cx);
        counted.set(counted.get() + 1);
        panic!("in poll")
    }));
    yield_now().await;
    gate.wake();
    turns(2).await;
    assert_eq!(polls.get(), 1);
    assert!(task.await.unwrap_err().is_panic());
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

#[test]
fn debug_mode_reports_the_steps_that_hold_up_the_loop() {
    let mut event_loop = EventLoop::builder()
        .virtual_time()
        .debug(true)
        .build()
        .unwrap();
    let handle = event_loop.handle();
    let reports = Reports::of(&handle);
    let slow = || std::thread::sleep(ms(101));
    handle.call_soon(slow);
    handle.call_soon(|| ());
    let task = handle.spawn(async move {
        yield_now().await;
        slow();
        yield_now().await;
    });
    task.set_name("slow one");
    event_loop.run_until_complete(task).unwrap().unwrap();
    handle.set_debug(false);
    handle.call_soon(slow);
    event_loop.run_until_complete(turns(2)).unwrap();
    let all = reports.take();
    let of: Vec<_> = all
        .iter()
        .map(|report| (report.kind, report.task.as_deref()))
        .collect();
    assert_eq!(
        of,
        [
            (ReportKind::SlowStep, None),
            (ReportKind::SlowStep, Some("slow one"))
        ]
    );
    assert!(
        all.iter()
            .all(|report| report.origin.unwrap().file().ends_with("tasks.rs"))
    );
}
