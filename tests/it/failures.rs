//! Failures without a waiter: each is reported once, with no effect on other tasks.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, ready};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use coro::event_loop::ReportKind;
use coro::{EventLoop, LoopHandle, call_soon, sleep, spawn, yield_now};

use crate::support::{
    Drops, Gate, PanicOnDrop, PanickyWaker, Reports, Trace, ms, panic_of, turns, virtual_loop,
};

// ---- unseen failures ----

#[coro::test]
async fn an_unseen_panic_is_reported_once_after_its_task_is_dropped() {
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
    assert!(all[0].origin.unwrap().file().ends_with("failures.rs"));

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
async fn an_unseen_error_is_reported_and_a_seen_one_is_not() {
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
async fn a_cancelled_task_that_is_not_awaited_is_no_failure() {
    let reports = Reports::here();
    let task = spawn(pending::<()>());
    task.cancel();
    drop(task);
    turns(2).await;
    assert_eq!(reports.len(), 0);
}

#[test]
fn a_panic_in_a_handle_that_outlives_its_loop_is_still_reported() {
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
    struct Bomb(#[expect(dead_code, reason = "it is held for its destructor")] PanicOnDrop);
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
async fn a_panic_in_the_drop_of_an_untaken_output_is_reported_once() {
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
async fn a_joiner_whose_waker_panics_is_reported_and_the_task_still_completes() {
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
async fn an_error_whose_text_panics_is_reported_and_the_loop_goes_on() {
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
            .all(|report| report.origin.unwrap().file().ends_with("failures.rs"))
    );
}
