//! `run_test`, which runs the body of a `#[coro::test]`.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use crate::event_loop::EventLoop;
use crate::report::{ErrorReport, ReportKind};
use crate::run::{new_loop, run_on};

/// The clock of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestClock {
    /// Time jumps to the next deadline when nothing is ready.
    Virtual,
    /// Time is real.
    Real,
}

/// Runs a test on a loop of its own.
///
/// # Panics
///
/// If a task or callout panicked, or a task failed, and nothing took the error: a test must not
/// ignore it. A test that expects such an error sets its own exception handler.
#[track_caller]
pub fn run_test<F: Future>(clock: TestClock, test: F) -> F::Output {
    let builder = match clock {
        TestClock::Virtual => EventLoop::builder().virtual_time(),
        TestClock::Real => EventLoop::builder(),
    };
    let event_loop = new_loop(builder.build());
    let unseen = Rc::new(RefCell::new(Vec::new()));
    event_loop.handle().set_exception_handler({
        let unseen = unseen.clone();
        move |report| unseen.borrow_mut().push(report.clone())
    });
    let output = run_on(event_loop, test);
    let unseen: Vec<ErrorReport> = unseen.take();
    let failures = unseen
        .iter()
        .filter(|report| is_failure(report.kind))
        .map(ToString::to_string);
    let failures: Vec<String> = failures.collect();
    assert!(
        failures.is_empty(),
        "the test left failures unseen: {}",
        failures.join("; ")
    );
    output
}

/// Runs a test on a loop with a real clock, inside of a runtime of tokio.
///
/// # Panics
///
/// As [`run_test`]; and if the runtime cannot be started.
#[cfg(feature = "tokio")]
#[track_caller]
pub fn run_test_with_tokio<F: Future>(test: F) -> F::Output {
    let runtime = crate::compat::tokio::started();
    let _entered = runtime.enter();
    run_test(TestClock::Real, test)
}

fn is_failure(kind: ReportKind) -> bool {
    !matches!(kind, ReportKind::AcceptPaused | ReportKind::SlowStep)
}
