//! The error of a scope or a task group.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;

use crate::error::Cancelled;

/// The reason why a [`try_scope`](crate::group::try_scope) or a
/// [`TaskGroup`](crate::group::TaskGroup) has no value: its body or a child failed, it was
/// cancelled, or its deadline came.
///
/// No failure is lost: the error contains all of them, in the order in which they happened. The
/// counterpart of the exception groups that asyncio's task groups raise.
///
/// # As an error of other types
///
/// It is an [`Error`] if failures can be displayed. So `?` turns it into an `anyhow::Error` or a
/// `Box<dyn Error + Send + Sync>`, also if children fail with these types. Its text begins with the
/// first failure, formatted by `{:#}`; for an `anyhow::Error` this text names the causes, too. Its
/// [`source`](Error::source) is the source of the first failure, if that is a boxed `dyn Error` or
/// an [`io::Error`]. For other types, use [`first`](Self::first), or convert the failures by
/// `error.map(Box::<dyn Error + Send + Sync>::from)`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(alias = "ExceptionGroup")]
pub struct ScopeError<E> {
    cause: Cause,
    failures: Failures<E>,
}

/// The cause of the early end of a scope or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    Failed,
    Cancelled(Cancelled),
    Elapsed,
}

impl<E> ScopeError<E> {
    pub(super) fn new(cause: Cause, failures: Vec<E>) -> Self {
        ScopeError {
            cause,
            failures: Failures(failures),
        }
    }

    /// All failures, in the order in which they happened. If the scope [failed](Self::is_failure),
    /// the first failure ended it.
    pub fn failures(&self) -> &[E] {
        &self.failures.0
    }

    /// As [`failures`](Self::failures), by value.
    pub fn into_failures(self) -> Vec<E> {
        self.failures.0
    }

    /// The first failure, if there was one.
    pub fn first(&self) -> Option<&E> {
        self.failures().first()
    }

    /// The first failure, if there was one; the others are dropped.
    pub fn into_first(self) -> Option<E> {
        self.into_failures().into_iter().next()
    }

    /// Whether a failure ended the scope.
    pub fn is_failure(&self) -> bool {
        self.cause == Cause::Failed
    }

    /// Whether the scope's deadline came before its end.
    pub fn is_elapsed(&self) -> bool {
        self.cause == Cause::Elapsed
    }

    /// The place and reason of the cancellation, if the scope was cancelled.
    pub fn cancelled(&self) -> Option<&Cancelled> {
        match &self.cause {
            Cause::Cancelled(cancelled) => Some(cancelled),
            _ => None,
        }
    }

    /// Turns each failure into something else.
    pub fn map<F>(self, f: impl FnMut(E) -> F) -> ScopeError<F> {
        let failures = self.failures.0.into_iter().map(f).collect();
        ScopeError::new(self.cause, failures)
    }
}

impl<E: fmt::Display> fmt::Display for ScopeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Failed if self.first().is_some() => return self.failures.fmt(f),
            Cause::Failed => f.write_str("a value that was waited for never came")?,
            Cause::Cancelled(cancelled) => cancelled.fmt(f)?,
            Cause::Elapsed => f.write_str("the deadline has passed")?,
        }
        and_more(self.failures().len(), f)
    }
}

#[inline]
fn and_more(failures: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match failures {
        0 => Ok(()),
        1 => f.write_str(", and 1 more failure"),
        more => write!(f, ", and {more} more failures"),
    }
}

/// No bound asks for an [`Error`]: `anyhow::Error` and `Box<dyn Error>` do not implement it.
impl<E: fmt::Debug + fmt::Display + 'static> Error for ScopeError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.cause {
            Cause::Failed => self.failures.source(),
            _ => self.first().map(|_| &self.failures as _),
        }
    }
}

/// The failures as an error of their own. They are the source of a [`ScopeError`] with another
/// cause.
#[derive(Clone, PartialEq, Eq)]
struct Failures<E>(Vec<E>);

impl<E: fmt::Debug> fmt::Debug for Failures<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: fmt::Display> fmt::Display for Failures<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => Ok(()),
            [first, more @ ..] => {
                write!(f, "{first:#}")?;
                and_more(more.len(), f)
            }
        }
    }
}

impl<E: fmt::Debug + fmt::Display + 'static> Error for Failures<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let first: &dyn Any = self.0.first()?;
        if let Some(error) = first.downcast_ref::<Box<dyn Error + Send + Sync>>() {
            error.source()
        } else if let Some(error) = first.downcast_ref::<Box<dyn Error + Send>>() {
            error.source()
        } else if let Some(error) = first.downcast_ref::<Box<dyn Error>>() {
            error.source()
        } else {
            first.downcast_ref::<io::Error>()?.source()
        }
    }
}

/// The error of spawning into a [`TaskGroup`](crate::group::TaskGroup) that has ended or is about to end. The future was
/// dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupClosed;

impl fmt::Display for GroupClosed {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task group takes no more tasks")
    }
}

impl Error for GroupClosed {}
