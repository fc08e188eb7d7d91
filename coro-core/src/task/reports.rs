//! Error reports of tasks and callouts, and the containment of foreign code that panics.
//!
//! A report goes to the loop's exception handler. Without a handler, or after the loop was closed,
//! it is printed.

use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use super::cell::Header;
use super::inbox::Inbox;
use super::queue::Origin;
use super::scheduler::{Reporter, Scheduler};
use super::{current, waker};
use crate::error::{Elapsed, JoinError};
use crate::panics::{Payload, drop_payload};
use crate::report::{ErrorReport, ReportKind};

impl Scheduler {
    pub(crate) fn set_reporter(&self, reporter: Reporter) {
        let before = self.reporter.replace(Some(reporter));
        drop(before); // foreign code: not in the borrow
    }

    /// Hands a report to the exception handler, or prints it.
    pub(crate) fn report(&self, report: ErrorReport) {
        #[cfg(feature = "tracing")]
        super::spans::tell(&report);
        let reporter = self.reporter.borrow().clone();
        match reporter {
            None => print(&report),
            Some(reporter) => {
                if let Err(payload) = catch_unwind(AssertUnwindSafe(|| reporter(&report))) {
                    print(&report);
                    print(&ErrorReport::of_panic(
                        ReportKind::HandlerPanicked,
                        payload.as_ref(),
                    ));
                    drop_payload(payload);
                }
            }
        }
    }

    /// Prints a report that no loop can take any more.
    pub(crate) fn print_report(report: &ErrorReport) {
        print(report);
    }

    /// Hands a report, from any thread, to the exception handler of the loop with this inbox. If the
    /// loop is closed before it takes the report, that is printed.
    pub(crate) fn report_to(inbox: &Inbox, report: ErrorReport) {
        Scheduler::report_of_task_to(inbox, None, report);
    }

    /// As [`report_to`](Self::report_to). If the task with this number is not finished, the report
    /// gets its name, which only the loop's thread may ask for.
    pub(crate) fn report_of_task_to(inbox: &Inbox, task: Option<u64>, report: ErrorReport) {
        if current::scheduler_of(inbox).is_some() {
            return Scheduler::with_current(|scheduler| scheduler.report_of_task(task, report));
        }
        let mut undelivered = Undelivered(Some(report));
        let deliver = move || {
            if let Some(report) = undelivered.0.take() {
                Scheduler::with_current(|scheduler| scheduler.report_of_task(task, report));
            }
        };
        let _ = inbox.push_call(Box::new(deliver)); // refused, it is printed
    }

    fn report_of_task(self: &Rc<Self>, task: Option<u64>, mut report: ErrorReport) {
        if let Some(id) = task {
            self.for_each_task(|task| {
                if task.header().id == id {
                    report.task = Some(task.header().name());
                }
            });
        }
        self.report(report);
    }

    /// Reports a step if it was a slow one.
    pub(super) fn report_slow(&self, took: Duration, name: Option<String>, origin: Origin) {
        if took >= self.slow_callback_duration().get() {
            let message = format!("it ran for {} ms", took.as_millis());
            let mut report = ErrorReport::new(ReportKind::SlowStep, message).from(origin);
            report.task = name;
            self.report(report);
        }
    }

    /// Reports the panic of a task that no handle can await any more.
    pub(super) fn report_join_error(&self, task: &Header, error: JoinError) {
        if let Ok(payload) = error.try_into_panic() {
            let report = ErrorReport::of_panic(ReportKind::TaskPanicked, payload.as_ref());
            self.report(report.in_task(task.name()).from(task.origin));
            drop_payload(payload);
        }
    }

    /// Reports the output of a task that no handle can await any more, if it is an error.
    pub(super) fn report_failure(&self, task: &Header, output: &dyn Any) {
        if let Some(error) = failure(output) {
            let report = ErrorReport::new(ReportKind::TaskFailed, error);
            self.report(report.in_task(task.name()).from(task.origin));
        }
    }

    /// Wakes a task by its waker. A waker that is not a task's is foreign code, and may panic.
    #[inline]
    pub(crate) fn wake(&self, waker: Waker) {
        if waker::is_of_a_task(&waker) {
            return waker.wake();
        }
        self.contain(ReportKind::WakePanicked, None, || waker.wake());
    }

    /// Calls `f`, which drops a closure or a waker.
    pub(crate) fn contain_drop(&self, f: impl FnOnce()) {
        self.contain(ReportKind::DropPanicked, None, f);
    }

    /// Calls `f`, which drops the future or the output of this task.
    #[inline]
    pub(super) fn contain_drop_of(&self, task: &Header, f: impl FnOnce()) {
        self.contain(ReportKind::DropPanicked, Some(task), f);
    }

    /// Calls foreign code. If it panics, the panic is reported, and its text given.
    pub(crate) fn contain_call<T>(
        &self,
        kind: ReportKind,
        f: impl FnOnce() -> T,
    ) -> Result<T, String> {
        catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
            let report = ErrorReport::of_panic(kind, payload.as_ref());
            let message = report.message.clone();
            self.report(report);
            drop_payload(payload);
            message
        })
    }

    /// Calls `f`, and reports its panic if there is one.
    #[inline]
    fn contain(&self, kind: ReportKind, task: Option<&Header>, f: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
            self.report_panic(kind, task, payload);
        }
    }

    #[cold]
    fn report_panic(&self, kind: ReportKind, task: Option<&Header>, payload: Payload) {
        let mut report = ErrorReport::of_panic(kind, payload.as_ref());
        if let Some(task) = task {
            report = report.in_task(task.name()).from(task.origin);
        }
        self.report(report);
        drop_payload(payload);
    }
}

/// A report on its way to a loop. It is printed if the loop is closed first.
struct Undelivered(Option<ErrorReport>);

impl Drop for Undelivered {
    fn drop(&mut self) {
        if let Some(report) = self.0.take() {
            print(&report);
        }
    }
}

/// Prints a report to standard error. If that is closed, `eprintln` panics, and the report is lost.
pub(crate) fn print(report: &ErrorReport) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| eprintln!("coro: {report}"))) {
        drop_payload(payload);
    }
}

/// The text of the error, if the output is a `Result<(), E>` with one of the error types that
/// programs use most. Stable Rust cannot ask whether any other type is an error.
fn failure(output: &dyn Any) -> Option<String> {
    fn error<E: Display + 'static>(output: &dyn Any) -> Option<&dyn Display> {
        let error = output.downcast_ref::<Result<(), E>>()?.as_ref().err()?;
        Some(error)
    }
    type Boxed = Box<dyn std::error::Error>;
    type SharedError = Box<dyn std::error::Error + Send + Sync>;
    let found = error::<std::io::Error>(output)
        .or_else(|| error::<Boxed>(output))
        .or_else(|| error::<SharedError>(output))
        .or_else(|| error::<String>(output))
        .or_else(|| error::<&'static str>(output))
        .or_else(|| error::<JoinError>(output))
        .or_else(|| error::<Elapsed>(output))?;
    let text = catch_unwind(AssertUnwindSafe(|| found.to_string()));
    Some(text.unwrap_or_else(|payload| {
        drop_payload(payload);
        String::from("(an error whose text panics)")
    }))
}
