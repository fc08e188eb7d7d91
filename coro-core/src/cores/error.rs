//! `CoreError`: the failure of one core, which ended the run of all.

use std::any::Any;
use std::fmt::{self, Debug, Display};
use std::io;

use crate::error::JoinError;

/// The failure that ended a run on several cores, with the index of the core where it happened.
/// [`Builder::run`](super::Builder::run) gives it.
///
/// ```
/// use coro::cores::CoreFailure;
///
/// let ran = coro::cores::Builder::new().threads(2).run(async |core| match core.index() {
///     0 => std::future::pending().await,
///     _ => Err("no such file"),
/// } as Result<(), _>);
/// let error = ran.unwrap_err();
/// assert_eq!(error.core(), 1);
/// assert_eq!(error.to_string(), "core 1: no such file");
/// assert!(matches!(error.failure(), CoreFailure::Error("no such file")));
/// ```
pub struct CoreError<E> {
    core: usize,
    failure: CoreFailure<E>,
}

/// The way in which a core failed.
#[non_exhaustive]
pub enum CoreFailure<E> {
    /// The main future of the core ended with this error.
    Error(E),
    /// The main future of the core panicked; the error has the message and the payload.
    Panicked(JoinError),
    /// The system gave no thread, no poller or not the processor for the core.
    NotStarted(io::Error),
    /// [`stop`](crate::event_loop::LoopHandle::stop) was called on the loop of the core before its
    /// main future completed.
    Stopped,
}

impl<E> CoreError<E> {
    pub(super) fn new(core: usize, failure: CoreFailure<E>) -> Self {
        CoreError { core, failure }
    }

    /// The index of the core that failed.
    pub fn core(&self) -> usize {
        self.core
    }

    /// The way in which it failed.
    pub fn failure(&self) -> &CoreFailure<E> {
        &self.failure
    }

    /// The way in which it failed, with the error or the panic itself.
    pub fn into_failure(self) -> CoreFailure<E> {
        self.failure
    }

    /// Whether the main future of the core panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.failure, CoreFailure::Panicked(_))
    }

    /// The payload of the panic, to be passed to [`std::panic::resume_unwind`].
    ///
    /// # Panics
    ///
    /// If the core did not panic: ask [`is_panic`](Self::is_panic) first.
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        match self.failure {
            CoreFailure::Panicked(panic) => panic.into_panic(),
            _ => panic!("into_panic() on an error that is no panic: ask is_panic() first"),
        }
    }
}

impl<E: Display> Display for CoreError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let core = self.core;
        match &self.failure {
            CoreFailure::Error(error) => write!(f, "core {core}: {error}"),
            CoreFailure::Panicked(panic) => write!(f, "{panic}"),
            CoreFailure::NotStarted(error) => write!(f, "core {core} could not start: {error}"),
            CoreFailure::Stopped => {
                write!(
                    f,
                    "core {core} was stopped before its main future completed"
                )
            }
        }
    }
}

impl<E: Debug> Debug for CoreError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoreError")
            .field("core", &self.core)
            .field("failure", &self.failure)
            .finish()
    }
}

impl<E: Debug> Debug for CoreFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CoreFailure::Error(error) => f.debug_tuple("Error").field(error).finish(),
            CoreFailure::Panicked(panic) => f.debug_tuple("Panicked").field(panic).finish(),
            CoreFailure::NotStarted(error) => f.debug_tuple("NotStarted").field(error).finish(),
            CoreFailure::Stopped => f.write_str("Stopped"),
        }
    }
}

impl<E: Debug + Display> std::error::Error for CoreError<E> {}
