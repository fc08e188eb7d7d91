//! What a loop tells its exception handler.

use std::any::Any;
use std::fmt;
use std::panic::Location;

/// Something went wrong where no caller could be told, such as a panic in a task that nobody
/// awaits.
///
/// A loop hands it to the handler set by
/// [`set_exception_handler`](crate::LoopHandle::set_exception_handler), or else prints it to the
/// standard error. The counterpart of the context that asyncio's exception handlers receive.
#[derive(Clone)]
#[non_exhaustive]
pub struct ErrorReport {
    /// What kind of thing happened.
    pub kind: ReportKind,
    /// What was said: the text of the error or of the panic.
    pub message: String,
    /// The name of the task concerned, if it was a task.
    pub task: Option<String>,
    /// Where that task was spawned, that callout registered, or that job made.
    pub origin: Option<&'static Location<'static>>,
}

/// The kinds of [`ErrorReport`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReportKind {
    /// A task panicked, and the last one who could have seen it has gone.
    TaskPanicked,
    /// A task ended with an error, and the last one who could have seen it has gone.
    TaskFailed,
    /// A callout panicked.
    CalloutPanicked,
    /// A job on another thread panicked, and nobody waits for it any more.
    JobPanicked,
    /// A job was refused for want of a thread, and nobody waits for it any more.
    JobRefused,
    /// Jobs go on running on other threads while the loop is closed.
    JobsStuck,
    /// A waker panicked when the loop woke it: one of some other executor's, or made by hand.
    WakePanicked,
    /// A destructor panicked while the loop dropped a future, an output or a closure.
    DropPanicked,
    /// The exception handler itself panicked.
    HandlerPanicked,
    /// A listener cannot accept for now, as when descriptors or memory have run out, and waits before
    /// it tries again.
    AcceptPaused,
    /// A clean-up of a [`scope`](crate::scope)'s was not done within its grace time.
    CleanUpCutShort,
    /// A callback of a protocol panicked, or what makes the protocols of a server did.
    ProtocolPanicked,
    /// A program goes on writing to a transport that is closed; what it writes is ignored.
    WriteIgnored,
    /// One step ran for longer than 100 ms, which [`debug`](crate::Builder::debug) mode looks for.
    SlowStep,
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
}

impl fmt::Display for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ReportKind::TaskPanicked => "a task panicked and nobody looked at it",
            ReportKind::TaskFailed => "a task failed and nobody looked at it",
            ReportKind::CalloutPanicked => "a callout panicked",
            ReportKind::JobPanicked => "a job on another thread panicked and nobody looked at it",
            ReportKind::JobRefused => "a job was refused and nobody looked at it",
            ReportKind::JobsStuck => "jobs on other threads hold up the closing of the loop",
            ReportKind::WakePanicked => "a waker panicked",
            ReportKind::DropPanicked => "a destructor panicked",
            ReportKind::HandlerPanicked => "the exception handler panicked",
            ReportKind::AcceptPaused => "a listener cannot accept for now",
            ReportKind::CleanUpCutShort => "a clean-up was cut short",
            ReportKind::ProtocolPanicked => "a protocol panicked",
            ReportKind::WriteIgnored => "a transport is written to though it is closed",
            ReportKind::SlowStep => "a step held up the loop",
        })?;
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
