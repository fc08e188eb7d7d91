//! Errors of the event loop: `JoinError`, `Elapsed`, `Stopped`, `Cancelled`, `LoopClosed`.

use std::any::Any;
use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::{Arc, Mutex};

use crate::panics::unpoisoned;
use crate::report::payload_message;

/// The reason why a task, or a job on another thread, has no output: it was cancelled, or it panicked.
///
/// The counterpart of `asyncio.CancelledError` and of the exception that a task ended with; the
/// shape is that of [`std::thread::JoinHandle::join`].
///
/// ```
/// coro::run(async {
///     let task = coro::spawn(async { panic!("no such luck") });
///     let error = task.await.unwrap_err();
///     assert!(error.is_panic());
///     assert_eq!(error.to_string(), "Task-1 panicked: no such luck");
/// });
/// ```
///
/// It is `Send` and `Sync` whatever the payload is, so that `task.await?` gives an `anyhow::Error`,
/// a `Box<dyn Error + Send + Sync>` or an [`io::Error`].
#[doc(alias = "CancelledError")]
pub struct JoinError {
    /// Boxed, because errors are rare, and every task reserves room for one.
    inner: Box<Inner>,
}

struct Inner {
    task: Box<str>,
    why: JoinFailure,
}

enum JoinFailure {
    Cancelled,
    Panicked(Panic),
    WouldDeadlock,
    Refused(io::Error),
}

struct Panic {
    /// Copied out of the payload, which nothing may look at through a shared error.
    message: Box<str>,
    /// A payload need not be `Sync`, but the error is. Never locked: only the owner takes it out.
    payload: Mutex<Box<dyn Any + Send>>,
}

impl JoinError {
    #[inline]
    fn new(task: Box<str>, why: JoinFailure) -> Self {
        JoinError {
            inner: Box::new(Inner { task, why }),
        }
    }

    #[inline]
    pub(crate) fn cancelled(task: Box<str>) -> Self {
        JoinError::new(task, JoinFailure::Cancelled)
    }

    #[inline]
    pub(crate) fn panicked(task: Box<str>, payload: Box<dyn Any + Send>) -> Self {
        let panic = Panic {
            message: payload_message(payload.as_ref()).into(),
            payload: Mutex::new(payload),
        };
        JoinError::new(task, JoinFailure::Panicked(panic))
    }

    #[inline]
    pub(crate) fn would_deadlock(task: Box<str>) -> Self {
        JoinError::new(task, JoinFailure::WouldDeadlock)
    }

    #[inline]
    pub(crate) fn refused(task: Box<str>, error: io::Error) -> Self {
        JoinError::new(task, JoinFailure::Refused(error))
    }

    /// The name of the task: `Task-N`, unless the task was given another. For a job on another
    /// thread, the place in the source that made the job.
    #[inline]
    pub fn task_name(&self) -> &str {
        &self.inner.task
    }

    /// Whether the task was cancelled, or its loop closed before it was done.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.inner.why, JoinFailure::Cancelled)
    }

    /// Whether the task panicked.
    #[inline]
    pub fn is_panic(&self) -> bool {
        matches!(self.inner.why, JoinFailure::Panicked(_))
    }

    /// Whether a job never ran because the system gave no thread for it; the cause is the
    /// [`source`](std::error::Error::source).
    #[inline]
    pub fn is_refused(&self) -> bool {
        matches!(self.inner.why, JoinFailure::Refused(_))
    }

    /// Whether [`RemoteTask::join`](crate::event_loop::RemoteTask::join) or
    /// [`RemoteHandle::block_on`](crate::event_loop::RemoteHandle::block_on) was called on the
    /// thread of the very loop that has to finish the task, so that the call could never return.
    #[inline]
    pub fn is_deadlock(&self) -> bool {
        matches!(self.inner.why, JoinFailure::WouldDeadlock)
    }

    /// The payload of the panic, to be passed to [`std::panic::resume_unwind`].
    ///
    /// # Panics
    ///
    /// If the task did not panic: ask [`is_panic`](Self::is_panic) first, or call
    /// [`try_into_panic`](Self::try_into_panic).
    #[inline]
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(error) => {
                panic!("into_panic() on an error that is no panic ({error}): ask is_panic() first")
            }
        }
    }

    /// The payload of the panic, or the error itself if the task did not panic.
    ///
    /// # Errors
    ///
    /// The error as it was, if the task did not panic.
    #[inline]
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, JoinError> {
        let Inner { task, why } = *self.inner;
        match why {
            JoinFailure::Panicked(panic) => {
                let payload = panic.payload.into_inner();
                Ok(unpoisoned(payload))
            }
            why => Err(JoinError::new(task, why)),
        }
    }
}

impl fmt::Display for JoinError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = &self.inner.task;
        match &self.inner.why {
            JoinFailure::Cancelled => write!(f, "{task} was cancelled"),
            JoinFailure::Panicked(panic) => write!(f, "{task} panicked: {}", panic.message),
            JoinFailure::WouldDeadlock => write!(
                f,
                "blocking for {task} on the thread of the loop that runs it would never end: await it there"
            ),
            JoinFailure::Refused(error) => write!(f, "{task} was refused: {error}"),
        }
    }
}

impl fmt::Debug for JoinError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {
    #[inline]
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.inner.why {
            JoinFailure::Refused(error) => Some(error),
            _ => None,
        }
    }
}

impl From<JoinError> for io::Error {
    /// The system's error if the system [refused](JoinError::is_refused) a thread; otherwise an
    /// error of kind `Other` with this error's text. The payload of a panic is dropped.
    #[inline]
    fn from(error: JoinError) -> Self {
        let text = error.to_string();
        match error.inner.why {
            JoinFailure::Refused(refused) => io::Error::new(refused.kind(), text),
            _ => io::Error::other(text),
        }
    }
}

/// The time given to [`timeout`](crate::time::timeout) or [`timeout_at`](crate::time::timeout_at)
/// ran out first.
///
/// In a test it may come at once, if the task waits for another thread that the loop does not know of:
/// the [virtual clock](crate::event_loop::Builder::virtual_time) has jumped. Such a test needs the real
/// clock, by `#[coro::test(real)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(alias = "TimeoutError")]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has passed")
    }
}

impl std::error::Error for Elapsed {}

impl From<Elapsed> for io::Error {
    #[inline]
    fn from(elapsed: Elapsed) -> Self {
        io::Error::new(io::ErrorKind::TimedOut, elapsed)
    }
}

/// [`EventLoop::run_until_complete`](crate::event_loop::EventLoop::run_until_complete) ended before
/// its future was done: the loop was stopped, or it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    pub(crate) closed: bool,
}

impl Stopped {
    /// Whether the loop had been closed before the call. Nothing can run on it any more.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.closed
    }
}

impl fmt::Display for Stopped {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.closed {
            false => "the event loop was stopped before the future completed",
            true => "the event loop is closed",
        })
    }
}

impl std::error::Error for Stopped {}

/// The reason for which a scope or a [`CancelToken`](crate::group::CancelToken) was cancelled, and
/// the place in the source that cancelled it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    reason: Arc<str>,
    location: &'static Location<'static>,
}

impl Cancelled {
    #[inline]
    pub(crate) fn new(reason: Box<str>, location: &'static Location<'static>) -> Self {
        Cancelled {
            reason: reason.into(),
            location,
        }
    }

    /// The reason that was given.
    #[inline]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The place in the source that cancelled it.
    #[inline]
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl fmt::Display for Cancelled {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancelled: {} (at {})", self.reason, self.location)
    }
}

impl std::error::Error for Cancelled {}

/// A [`RemoteHandle`](crate::event_loop::RemoteHandle) was used after its loop had been closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopClosed;

impl fmt::Display for LoopClosed {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event loop is closed")
    }
}

impl std::error::Error for LoopClosed {}

/// Copies an error, which cannot be cloned: the system's as it is, any other as its text.
#[inline]
pub(crate) fn duplicate(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}
