//! The failure policy of a scope or a task group: the effect of each outcome on the whole.

use std::cell::{Cell, RefCell};

use super::error::{Cause, ScopeError};
use super::panics::FirstPanic;
use crate::panics::Payload;

/// The effect of one child's failure on the other children of a
/// [`try_scope`](crate::group::try_scope) or a [`TaskGroup`](crate::group::TaskGroup).
///
/// A failure is the error of a child made with `try_spawn`. Such a child has no value. In a scope,
/// under the last two policies, a body or child that awaits the handle of a failed child is dropped
/// there. Under the first two, it waits for the scope's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Policy {
    /// The first failure ends the scope: body and children are dropped.
    ///
    /// A child's failure ends the scope at the end of the turn: children that had been woken before
    /// take their step, and if they fail in it, their failures count, too. A failure of the body
    /// ends the scope at once.
    #[default]
    AllSucceed,
    /// The first child to succeed ends the other children, and the body continues with its value.
    /// Failures are forgiven, unless all children that could succeed have failed: that ends the
    /// scope.
    FirstSucceeds,
    /// A failure ends no other child. If there were failures, the scope fails at its end, with all
    /// of them.
    Collect,
    /// A failure ends no other child, and is forgiven if the body returns a value. A panic ends no
    /// other child either: it is resumed in the body or child that awaits the handle. If none does,
    /// it is reported to the loop's exception handler.
    Supervise,
}

impl Policy {
    /// Whether a scope with failures still has a value, if its body has one.
    #[inline]
    fn forgives(self) -> bool {
        matches!(self, Policy::FirstSucceeds | Policy::Supervise)
    }
}

/// The duty of a scope or a group after an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Duty {
    Nothing,
    /// End the children, but not the body.
    EndChildren,
    /// End body and children, after the children that were woken before have taken their step.
    EndAfterTurn,
    /// End body and children at once.
    End,
}

/// The outcomes so far, with the policy that judges them.
pub(super) struct GroupVerdict<E> {
    policy: Cell<Policy>,
    failures: RefCell<Vec<E>>,
    panic: FirstPanic,
    /// The cause of an early end, if there is one.
    cause: RefCell<Option<Cause>>,
    /// The number of children that can still succeed.
    trying: Cell<usize>,
    has_succeeded: Cell<bool>,
}

impl<E> Default for GroupVerdict<E> {
    fn default() -> Self {
        GroupVerdict {
            policy: Cell::default(),
            failures: RefCell::default(),
            panic: FirstPanic::default(),
            cause: RefCell::default(),
            trying: Cell::default(),
            has_succeeded: Cell::default(),
        }
    }
}

impl<E> GroupVerdict<E> {
    pub(super) fn policy(&self) -> Policy {
        self.policy.get()
    }

    pub(super) fn set_policy(&self, policy: Policy) {
        self.policy.set(policy);
    }

    /// Whether an outcome, a cancellation or a deadline has ended the whole.
    pub(super) fn is_ending(&self) -> bool {
        self.cause.borrow().is_some()
    }

    /// Counts a child that can succeed.
    pub(super) fn attempt(&self) {
        self.trying.set(self.trying.get() + 1);
    }

    /// Takes off a child that can succeed, when it is gone, whatever its outcome.
    pub(super) fn attempt_over(&self) -> Duty {
        self.trying.set(self.trying.get() - 1);
        let hopeless = self.trying.get() == 0 && !self.has_succeeded.get();
        let has_failed = !self.failures.borrow().is_empty();
        match self.policy.get() {
            Policy::FirstSucceeds if hopeless && has_failed => self.end(Cause::Failed),
            _ => Duty::Nothing,
        }
    }

    /// Takes the outcome of a child that can succeed.
    pub(super) fn judge<T>(&self, result: Result<T, E>) -> (Option<T>, Duty) {
        match result {
            Ok(value) => (Some(value), self.success()),
            Err(error) => match self.failure(error) {
                Duty::End => (None, Duty::EndAfterTurn),
                duty => (None, duty),
            },
        }
    }

    fn success(&self) -> Duty {
        self.has_succeeded.set(true);
        match self.policy.get() {
            Policy::FirstSucceeds => Duty::EndChildren,
            _ => Duty::Nothing,
        }
    }

    /// Takes the body's error.
    pub(super) fn failure(&self, error: E) -> Duty {
        self.failures.borrow_mut().push(error);
        match self.policy.get() {
            Policy::AllSucceed => self.end(Cause::Failed),
            _ => Duty::Nothing,
        }
    }

    /// Takes a panic, which is [resumed](Self::take_panic) at the end.
    pub(super) fn panicked(&self, payload: Payload) -> Duty {
        self.panic.keep(payload);
        self.end(Cause::Failed)
    }

    pub(super) fn take_panic(&self) -> Option<Payload> {
        self.panic.take()
    }

    /// Ends the whole; the first cause counts.
    pub(super) fn end(&self, cause: Cause) -> Duty {
        self.cause.borrow_mut().get_or_insert(cause);
        Duty::End
    }

    /// The result: the body's value, if it has one and no failure or cause forbids it.
    pub(super) fn settle<T>(&self, value: Option<T>) -> Result<T, ScopeError<E>> {
        let (failures, cause) = (self.failures.take(), self.cause.take());
        match (value, cause) {
            (Some(value), None) if failures.is_empty() || self.policy.get().forgives() => Ok(value),
            (Some(value), Some(Cause::Cancelled(_))) if failures.is_empty() => Ok(value),
            (_, cause) => Err(ScopeError::new(cause.unwrap_or(Cause::Failed), failures)),
        }
    }
}
