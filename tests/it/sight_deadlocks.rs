//! Deadlocks and lost wakers, which are found before a loop sleeps.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use coro::event_loop::{Builder, ErrorReport, ReportKind};
use coro::sync::{Event, Lock, RwLock, channel};
use coro::{EventLoop, LoopHandle, spawn};

/// Runs a test that cannot go on, and gives the text of its failure.
fn failure(test: impl AsyncFn()) -> String {
    let begun = std::time::Instant::now();
    let run = || coro::__private::run_test(coro::__private::TestClock::Virtual, test);
    let failed = catch_unwind(AssertUnwindSafe(run)).expect_err("it cannot go on");
    assert!(begun.elapsed() < Duration::from_secs(5));
    failed.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn crossed_locks_fail_a_test_at_once() {
    let text = failure(async || {
        let (a, b) = (Rc::new(Lock::new(())), Rc::new(Lock::new(())));
        let (c, d) = (a.clone(), b.clone());
        let one = spawn(async move {
            let _a = a.lock().await;
            coro::yield_now().await;
            let _b = b.lock().await;
        });
        let other = spawn(async move {
            let _d = d.lock().await;
            coro::yield_now().await;
            let _c = c.lock().await;
        });
        let _ = coro::gather((one, other)).await;
    });
    assert!(
        text.contains("DEADLOCK: Task-1 -> Task-2 -> Task-1"),
        "{text}"
    );
    assert!(
        text.contains("Lock, first in line, held by Task-2"),
        "{text}"
    );
}

#[test]
fn crossed_access_to_a_value_fails_a_test_at_once() {
    let text = failure(async || {
        let value = Rc::new(RwLock::new(()));
        let _read = value.read().await;
        drop(value.write().await);
    });
    assert!(text.contains("DEADLOCK: main -> main"), "{text}");
}

#[test]
fn tasks_that_await_each_other_fail_a_test_at_once() {
    let text = failure(async || {
        let slot = Rc::new(Cell::new(None));
        let first = spawn({
            let slot = slot.clone();
            async move {
                coro::yield_now().await;
                let other: coro::Task<()> = slot.take().unwrap();
                other.await.unwrap()
            }
        });
        slot.set(Some(spawn(async move { first.await.unwrap() })));
        pending::<()>().await
    });
    assert!(
        text.contains("DEADLOCK: Task-1 -> Task-2 -> Task-1"),
        "{text}"
    );
}

#[test]
fn waits_that_nothing_ends_fail_a_test_at_once() {
    let event = failure(async || Event::new().wait().await);
    assert!(event.contains("Event, first in line"), "{event}");
    let kept = failure(async || {
        let (send, mut receive) = channel::unbounded::<()>();
        receive.recv().await;
        drop(send);
    });
    assert!(kept.contains("an item of a queue or channel"), "{kept}");
    let queue = failure(async || {
        coro::sync::Queue::<u8>::bounded(3).get().await.unwrap();
    });
    assert!(queue.contains("an item of a queue"), "{queue}");
    let scope = failure(async || {
        coro::scope(async |s| {
            s.spawn(async { Event::new().wait().await });
        })
        .await;
    });
    assert!(scope.contains("scope, of all"), "{scope}");
    let far = failure(async || coro::sleep(Duration::MAX).await);
    assert!(far.contains("a timer"), "{far}");
    let for_ever = failure(async || pending().await);
    assert!(for_ever.contains("main"), "{for_ever}");
    let lost = failure(async || poll_fn(|_| Poll::<()>::Pending).await);
    assert!(lost.contains("NO WAKER IS LEFT of main"), "{lost}");
}

#[coro::test(real)]
async fn a_wait_for_another_thread_is_no_deadlock() {
    coro::threads::to_thread(|| std::thread::sleep(Duration::from_millis(30)))
        .await
        .unwrap();
    let (send, receive) = futures::channel::oneshot::channel::<u8>();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        send.send(3)
    });
    assert_eq!(receive.await, Ok(3));
    thread.join().unwrap().unwrap();
    let (send, receive) = coro::sync::remote::channel::bounded::<u8>(2);
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        send.blocking_send(3)
    });
    assert_eq!(receive.recv().await, Some(3));
    thread.join().unwrap().unwrap();
}

/// Runs a main future that hangs, and gives the reports, the first of which stops the loop.
fn reports(settings: Builder, main: impl Future<Output = ()>) -> Vec<ErrorReport> {
    let mut event_loop = settings.build().unwrap();
    let reports = Rc::new(RefCell::new(Vec::new()));
    event_loop.handle().set_exception_handler({
        let reports = reports.clone();
        move |report| {
            reports.borrow_mut().push(report.clone());
            LoopHandle::current().stop();
        }
    });
    event_loop.run_until_complete(main).unwrap_err();
    reports.take()
}

#[test]
fn a_deadlock_on_a_real_clock_is_reported_with_the_tree() {
    let settings = EventLoop::builder().report_deadlocks(true);
    let reports = reports(settings, async { Event::new().wait().await });
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].kind, ReportKind::Deadlock);
    assert!(
        reports[0]
            .message
            .starts_with("no task will ever go on\nmain  waits")
    );
}

#[test]
fn a_wait_that_another_library_may_end_is_a_probable_deadlock_and_only_told_on_demand() {
    let (_keep, receiver) = futures::channel::oneshot::channel::<()>();
    let settings = EventLoop::builder().report_deadlocks(true);
    let reports = reports(settings, async {
        let _ = receiver.await;
    });
    assert_eq!(reports.len(), 1);
    assert!(reports[0].message.starts_with("probably"), "{}", reports[0]);
}

#[test]
fn a_member_of_a_group_that_another_library_may_wake_is_no_certain_deadlock() {
    let (_keep, receiver) = futures::channel::oneshot::channel::<()>();
    let settings = EventLoop::builder().report_deadlocks(true);
    let reports = reports(settings, async {
        coro::scope(async |scope| {
            scope.spawn(async { Event::new().wait().await });
            scope.spawn(async {
                let _ = receiver.await;
            });
        })
        .await;
    });
    assert!(reports[0].message.starts_with("probably"), "{}", reports[0]);
}

#[test]
fn a_lost_waker_is_reported_once_while_other_tasks_go_on() {
    let mut event_loop = EventLoop::builder()
        .virtual_time()
        .report_deadlocks(true)
        .build()
        .unwrap();
    let reports = Rc::new(RefCell::new(Vec::new()));
    event_loop.handle().set_exception_handler({
        let reports = reports.clone();
        move |report| reports.borrow_mut().push(report.clone())
    });
    let main = async {
        spawn(async { poll_fn(|_| Poll::<()>::Pending).await }).set_name("lost");
        spawn(pending::<()>()).set_name("pending");
        for _ in 0..200 {
            coro::sleep(Duration::from_millis(1)).await;
        }
    };
    event_loop.run_until_complete(main).unwrap();
    let reports = reports.take();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert_eq!(reports[0].kind, ReportKind::LostWaker);
    assert_eq!(reports[0].task.as_deref(), Some("lost"));
}

#[test]
fn a_loop_without_a_main_future_may_wait_for_ever_if_it_has_no_tasks() {
    let mut event_loop = EventLoop::builder().report_deadlocks(true).build().unwrap();
    event_loop
        .handle()
        .set_exception_handler(|report| panic!("{report}"));
    let remote = event_loop.handle().remote();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        remote.stop()
    });
    event_loop.run_forever();
    thread.join().unwrap().unwrap();
}
