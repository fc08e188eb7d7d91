//! The errors that callers meet.

use std::any::Any;
use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::Arc;

use crate::report::payload_message;

/// Why a task, or a job on another thread, has no output: it was cancelled, or it panicked.
///
/// The counterpart of `asyncio.CancelledError` and of the exception that a task ended with; the
/// shape is that of [`std::thread::JoinHandle::join`].
///
/// ```
/// # use coro_core as coro;
/// coro::run(async {
///     let task = coro::spawn(async { panic!("no such luck") });
///     let error = task.await.unwrap_err();
///     assert!(error.is_panic());
///     assert_eq!(error.to_string(), "Task-1 panicked: no such luck");
/// });
/// ```
pub struct JoinError {
    /// Boxed, because it is rare, and every task has room for it.
    inner: Box<Inner>,
}

struct Inner {
    task: Box<str>,
    why: Why,
}

enum Why {
    Cancelled,
    Panicked(Box<dyn Any + Send>),
    WouldDeadlock,
    Refused(io::Error),
}

impl JoinError {
    fn new(task: Box<str>, why: Why) -> Self {
        JoinError {
            inner: Box::new(Inner { task, why }),
        }
    }

    pub(crate) fn cancelled(task: Box<str>) -> Self {
        JoinError::new(task, Why::Cancelled)
    }

    pub(crate) fn panicked(task: Box<str>, payload: Box<dyn Any + Send>) -> Self {
        JoinError::new(task, Why::Panicked(payload))
    }

    pub(crate) fn would_deadlock(task: Box<str>) -> Self {
        JoinError::new(task, Why::WouldDeadlock)
    }

    pub(crate) fn refused(task: Box<str>, error: io::Error) -> Self {
        JoinError::new(task, Why::Refused(error))
    }

    /// The name of the task: `Task-N`, unless it was given another. For a job on another thread it
    /// says where that was made.
    pub fn task_name(&self) -> &str {
        &self.inner.task
    }

    /// Whether the task was cancelled, or its loop closed before it was done.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.inner.why, Why::Cancelled)
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.inner.why, Why::Panicked(_))
    }

    /// Whether a job never ran because the system gave no thread for it; the cause is the
    /// [`source`](std::error::Error::source).
    pub fn is_refused(&self) -> bool {
        matches!(self.inner.why, Why::Refused(_))
    }

    /// Whether [`RemoteTask::join`](crate::RemoteTask::join) or
    /// [`RemoteHandle::block_on`](crate::RemoteHandle::block_on) was called on the thread of the very
    /// loop that has to finish the task, where blocking could never end.
    pub fn is_deadlock(&self) -> bool {
        matches!(self.inner.why, Why::WouldDeadlock)
    }

    /// The payload of the panic, to be passed to [`std::panic::resume_unwind`].
    ///
    /// # Panics
    ///
    /// If the task did not panic: ask [`is_panic`](Self::is_panic) first, or call
    /// [`try_into_panic`](Self::try_into_panic).
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(error) => {
                panic!("into_panic() on an error that is no panic ({error}): ask is_panic() first")
            }
        }
    }

    /// The payload of the panic, or the error itself where there was none.
    ///
    /// # Errors
    ///
    /// The error as it was, if the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, JoinError> {
        let Inner { task, why } = *self.inner;
        match why {
            Why::Panicked(payload) => Ok(payload),
            why => Err(JoinError::new(task, why)),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = &self.inner.task;
        match &self.inner.why {
            Why::Cancelled => write!(f, "{task} was cancelled"),
            Why::Panicked(payload) => {
                write!(f, "{task} panicked: {}", payload_message(payload.as_ref()))
            }
            Why::WouldDeadlock => write!(
                f,
                "blocking for {task} on the thread of the loop that runs it would never end: await it there"
            ),
            Why::Refused(error) => write!(f, "{task} was refused: {error}"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.inner.why {
            Why::Refused(error) => Some(error),
            _ => None,
        }
    }
}

impl From<JoinError> for io::Error {
    /// The error of the system that [refused](JoinError::is_refused) a thread, or another one with
    /// the text of this. The payload of a panic is dropped.
    fn from(error: JoinError) -> Self {
        let text = error.to_string();
        match error.inner.why {
            Why::Refused(refused) => io::Error::new(refused.kind(), text),
            _ => io::Error::other(text),
        }
    }
}

/// The time given to [`timeout`](crate::timeout) or [`timeout_at`](crate::timeout_at) ran out
/// first.
///
/// In a test it may come at once, where what is waited for is another thread that the loop does not
/// know of: a [virtual clock](crate::Builder::virtual_time) has jumped. Such a test wants the real
/// one, by `#[coro::test(real)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has passed")
    }
}

impl std::error::Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> Self {
        io::Error::new(io::ErrorKind::TimedOut, elapsed)
    }
}

/// [`EventLoop::run_until_complete`](crate::EventLoop::run_until_complete) ended before its future
/// was done: somebody called `stop`, or the loop is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    pub(crate) closed: bool,
}

impl Stopped {
    /// Whether the loop had been closed before, so that nothing can run on it any more.
    pub fn is_closed(&self) -> bool {
        self.closed
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.closed {
            false => "the event loop was stopped before the future completed",
            true => "the event loop is closed",
        })
    }
}

impl std::error::Error for Stopped {}

/// Somebody cancelled a scope or a [`CancelToken`](crate::CancelToken): the reason that they gave,
/// and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    reason: Arc<str>,
    location: &'static Location<'static>,
}

impl Cancelled {
    pub(crate) fn new(reason: Box<str>, location: &'static Location<'static>) -> Self {
        Cancelled {
            reason: reason.into(),
            location,
        }
    }

    /// The reason that was given.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Where it was cancelled.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancelled: {} (at {})", self.reason, self.location)
    }
}

impl std::error::Error for Cancelled {}

/// A [`RemoteHandle`](crate::RemoteHandle) was used after its loop had been closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopClosed;

impl fmt::Display for LoopClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event loop is closed")
    }
}

impl std::error::Error for LoopClosed {}
