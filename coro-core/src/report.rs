//! Error reports, which a loop passes to its exception handler.

use std::any::Any;
use std::fmt;
use std::panic::Location;

/// An error that had no caller to return to, such as a panic in a task that is never awaited.
///
/// The loop passes it to the handler set by
/// [`set_exception_handler`](crate::event_loop::LoopHandle::set_exception_handler), or prints it to
/// the standard error if none is set. The counterpart of the context that asyncio's exception
/// handlers receive.
#[derive(Clone)]
#[non_exhaustive]
pub struct ErrorReport {
    /// The kind of event that is reported.
    pub kind: ReportKind,
    /// The text of the error or of the panic.
    pub message: String,
    /// The name of the task concerned, if it was a task.
    pub task: Option<String>,
    /// The place in the source that spawned the task, registered the callout or made the job.
    pub origin: Option<&'static Location<'static>>,
}

/// The kinds of [`ErrorReport`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReportKind {
    /// A task panicked, and its last handle was dropped without taking the panic.
    TaskPanicked,
    /// A task ended with an error, and its last handle was dropped without taking the error.
    TaskFailed,
    /// A callout panicked.
    CalloutPanicked,
    /// A job on another thread panicked, and the future that waited for it was dropped.
    JobPanicked,
    /// A job was refused because no thread could be started, and the future that waited for it was
    /// dropped.
    JobRefused,
    /// The loop is being closed while jobs still run on other threads.
    JobsStuck,
    /// A waker panicked when the loop woke it: a waker of another executor, or a hand-made one.
    WakePanicked,
    /// A destructor panicked while the loop dropped a future, an output or a closure.
    DropPanicked,
    /// The exception handler itself panicked.
    HandlerPanicked,
    /// A listener cannot accept for now, as when descriptors or memory have run out, and waits before
    /// it tries again.
    AcceptPaused,
    /// A clean-up of a [`scope`](crate::group::scope) did not end within its grace time.
    CleanUpCutShort,
    /// A callback of a protocol panicked, or a server's function that makes the protocols did.
    ProtocolPanicked,
    /// A program keeps writing to a closed transport; the written data is ignored.
    WriteIgnored,
    /// An [`OnLoop`](crate::event_loop::OnLoop) was dropped on another thread, and its value could not
    /// be sent home to be dropped, so it is leaked.
    ValueLeaked,
    /// One step ran for longer than
    /// [`slow_callback_duration`](crate::event_loop::Builder::slow_callback_duration); reported in
    /// [`debug`](crate::event_loop::Builder::debug) mode only.
    SlowStep,
    /// One step has held the loop for longer than its
    /// [`watchdog`](crate::event_loop::Builder::watchdog) allows.
    Stuck,
    /// A signal has asked for a dump of all tasks, which the message has. See
    /// [`dump_on`](crate::event_loop::Builder::dump_on).
    Dump,
    /// No task will ever go on, as each waits for another; the message has the tree of all tasks. See
    /// [`report_deadlocks`](crate::event_loop::Builder::report_deadlocks).
    Deadlock,
    /// A task waits, but no waker of it is left, so nothing will wake it. See
    /// [`report_deadlocks`](crate::event_loop::Builder::report_deadlocks).
    LostWaker,
}

impl ErrorReport {
    pub(crate) fn new(kind: ReportKind, message: impl Into<String>) -> Self {
        ErrorReport {
            kind,
            message: message.into(),
            task: None,
            origin: None,
        }
    }

    pub(crate) fn of_panic(kind: ReportKind, payload: &(dyn Any + Send)) -> Self {
        ErrorReport::new(kind, payload_message(payload))
    }

    pub(crate) fn in_task(mut self, name: String) -> Self {
        self.task = Some(name);
        self
    }

    pub(crate) fn from(mut self, origin: &'static Location<'static>) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The event that is reported, in words.
    pub(crate) fn heading(&self) -> &'static str {
        match self.kind {
            ReportKind::TaskPanicked => "a task panicked and nothing awaited it",
            ReportKind::TaskFailed => "a task failed and nothing awaited it",
            ReportKind::CalloutPanicked => "a callout panicked",
            ReportKind::JobPanicked => "a job on another thread panicked and nothing awaited it",
            ReportKind::JobRefused => "a job was refused and nothing awaited it",
            ReportKind::JobsStuck => "jobs on other threads hold up the closing of the loop",
            ReportKind::WakePanicked => "a waker panicked",
            ReportKind::DropPanicked => "a destructor panicked",
            ReportKind::HandlerPanicked => "the exception handler panicked",
            ReportKind::AcceptPaused => "a listener cannot accept for now",
            ReportKind::CleanUpCutShort => "a clean-up was cut short",
            ReportKind::ProtocolPanicked => "a protocol panicked",
            ReportKind::WriteIgnored => "a transport is written to though it is closed",
            ReportKind::ValueLeaked => {
                "a value of a loop was dropped on another thread, and leaked"
            }
            ReportKind::SlowStep => "a step held up the loop",
            ReportKind::Stuck => "a step holds the loop",
            ReportKind::Dump => "a dump",
            ReportKind::Deadlock => "a deadlock",
            ReportKind::LostWaker => "a task has lost its waker",
        }
    }
}

impl fmt::Display for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.heading())?;
        write!(f, ": {}", self.message)?;
        if let Some(task) = &self.task {
            write!(f, " [{task}]")?;
        }
        if let Some(origin) = self.origin {
            write!(f, " (made at {origin})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorReport({self})")
    }
}

/// The text of a panic, as the standard library's own hook would print it.
pub(crate) fn payload_message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "(a payload that is no text)"
    }
}
