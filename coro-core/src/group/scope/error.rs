//! What a scope that can fail ends with when it has.

use std::error::Error;
use std::fmt;

use super::try_scope::Policy;
use crate::error::Cancelled;

/// Why a [`try_scope`](crate::group::try_scope) or a [`TaskGroup`](crate::group::TaskGroup) has no value: its
/// body or a child failed, it was cancelled, or its deadline came.
///
/// No failure is lost: they are all in here, in the order in which they happened. The counterpart
/// of the exception groups that asyncio's task groups raise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeError<E> {
    pub(in crate::group) cause: Cause,
    pub(in crate::group) failures: Vec<E>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::group) enum Cause {
    Failed,
    Cancelled(Cancelled),
    Elapsed,
}

impl<E> ScopeError<E> {
    /// What a scope ends with: its body's value, if it has one and nothing stands against it.
    pub(in crate::group) fn settle<T>(
        value: Option<T>,
        cause: Option<Cause>,
        failures: Vec<E>,
        policy: Policy,
    ) -> Result<T, Self> {
        match (value, cause) {
            (Some(value), None) if failures.is_empty() || policy.forgives() => Ok(value),
            (Some(value), Some(Cause::Cancelled(_))) if failures.is_empty() => Ok(value),
            (_, cause) => Err(ScopeError {
                cause: cause.unwrap_or(Cause::Failed),
                failures,
            }),
        }
    }

    /// All failures, in the order in which they happened; the first is what ended the scope, if
    /// it [failed](Self::is_failure).
    pub fn failures(&self) -> &[E] {
        &self.failures
    }

    /// As [`failures`](Self::failures), by value.
    pub fn into_failures(self) -> Vec<E> {
        self.failures
    }

    /// The first failure, if there was one.
    pub fn first(&self) -> Option<&E> {
        self.failures.first()
    }

    /// The first failure, if there was one; the others are dropped.
    pub fn into_first(self) -> Option<E> {
        self.failures.into_iter().next()
    }

    /// Whether a failure ended the scope.
    pub fn is_failure(&self) -> bool {
        self.cause == Cause::Failed
    }

    /// Whether the scope's deadline came before its end.
    pub fn is_elapsed(&self) -> bool {
        self.cause == Cause::Elapsed
    }

    /// Who cancelled the scope, and why, if somebody did.
    pub fn cancelled(&self) -> Option<&Cancelled> {
        match &self.cause {
            Cause::Cancelled(cancelled) => Some(cancelled),
            _ => None,
        }
    }

    /// Turns each failure into something else.
    pub fn map<F>(self, f: impl FnMut(E) -> F) -> ScopeError<F> {
        ScopeError {
            cause: self.cause,
            failures: self.failures.into_iter().map(f).collect(),
        }
    }
}

impl<E: fmt::Display> fmt::Display for ScopeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = match (&self.cause, self.failures.as_slice()) {
            (Cause::Failed, [first, more @ ..]) => {
                first.fmt(f)?;
                more.len()
            }
            (Cause::Failed, []) => {
                f.write_str("a value that was waited for never came")?;
                0
            }
            (Cause::Cancelled(cancelled), failures) => {
                cancelled.fmt(f)?;
                failures.len()
            }
            (Cause::Elapsed, failures) => {
                f.write_str("the deadline has passed")?;
                failures.len()
            }
        };
        match more {
            0 => Ok(()),
            1 => f.write_str(", and 1 more failure"),
            more => write!(f, ", and {more} more failures"),
        }
    }
}

impl<E: Error + 'static> Error for ScopeError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.cause {
            Cause::Failed => self.first()?.source(),
            _ => self.first().map(|first| first as _),
        }
    }
}
