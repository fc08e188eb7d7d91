//! A scope whose children can fail.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::Location;
use std::pin::pin;
use std::task::Context;
use std::time::{Duration, Instant};

use super::super::attempting::{Attempting, Judge};
use super::super::error::{Cause, ScopeError};
use super::super::ready::WokenMembers;
use super::super::verdict::{Duty, GroupVerdict, Policy};
use super::body::{Scope, run};
use super::core::{Guard, ScopeCore};
use super::task::ScopedTask;
use crate::error::Cancelled;
use crate::task::is_large;
use crate::wait::until::Until;

/// Runs `body`, which may spawn children that borrow any value that outlives the scope, and that
/// may fail. Ends when the body and all children have ended.
///
/// It does the same as [`scope`](crate::group::scope), and more. A child made with
/// [`try_spawn`](TryScope::try_spawn) fails if it returns an error, and then the scope fails as its
/// [`Policy`] says. [`cancel`](TryScope::cancel) and a [`deadline`](TryScope::deadline) end the
/// scope early. The counterpart of `asyncio.TaskGroup`.
///
/// ```
/// use std::time::Duration;
///
/// async fn fetch(from: &str) -> Result<usize, String> {
///     match from {
///         "nowhere" => Err(format!("cannot fetch from {from}")),
///         _ => Ok(from.len()),
///     }
/// }
///
/// coro::run(async {
///     let hosts = ["here".to_owned(), "there".to_owned(), "nowhere".to_owned()];
///     let sum = coro::try_scope(async |s| {
///         s.timeout(Duration::from_secs(10));
///         let a = s.try_spawn(fetch(&hosts[0]));
///         let b = s.try_spawn(fetch(&hosts[1]));
///         Ok::<_, String>(a.await + b.await)
///     });
///     assert_eq!(sum.await, Ok(9));
///
///     let failed = coro::try_scope(async |s| {
///         let never = s.spawn(std::future::pending::<()>());
///         s.try_spawn(fetch(&hosts[2]));
///         Ok(never.await)
///     });
///     assert_eq!(failed.await.unwrap_err().into_first().unwrap(), "cannot fetch from nowhere");
/// });
/// ```
///
/// # Errors
///
/// A [`ScopeError`] with all failures, in the order in which they happened. An error that the body
/// returns is one of them. The error also says if the scope was cancelled before the body had
/// ended, or if its deadline came before the last child had ended.
///
/// # Panics and dropping
///
/// As for [`scope`](crate::group::scope). If the future is dropped midway, failures that have
/// happened are lost.
pub async fn try_scope<'env, T, E: 'env, F>(body: F) -> Result<T, ScopeError<E>>
where
    F: for<'scope> AsyncFnOnce(&'scope TryScope<'scope, 'env, E>) -> Result<T, E>,
{
    let ready = WokenMembers::default();
    let verdict = GroupVerdict::default();
    let until = RefCell::new(None);
    let scope = ManuallyDrop::new(TryScope {
        scope: Scope::new(&ready),
        verdict: &verdict,
        until: &until,
    });
    let core = &scope.scope.core;
    let _guard = Guard(core);
    let body = pin!(Some(async {
        let result = body(&scope).await;
        result.map_err(|error| scope.fulfil(scope.verdict.failure(error)))
    }));
    let output = run(core, body, |cx| scope.check(cx)).await;
    verdict.settle(output.and_then(Result::ok))
}

/// The handle with which the body of a [`try_scope`] spawns children. It dereferences to a
/// [`Scope`].
pub struct TryScope<'scope, 'env, E: 'env> {
    scope: Scope<'scope, 'env>,
    /// Borrowed, because it has a destructor, which the scope itself must not have.
    verdict: &'scope GroupVerdict<E>,
    until: &'scope RefCell<Option<Until>>,
}

impl<'scope, 'env, E> Deref for TryScope<'scope, 'env, E> {
    type Target = Scope<'scope, 'env>;

    fn deref(&self) -> &Self::Target {
        &self.scope
    }
}

impl<'scope, E> TryScope<'scope, '_, E> {
    /// Makes `future` a child whose error is a failure of the scope.
    ///
    /// The handle gives the value of its success. Otherwise as [`Scope::spawn`].
    #[track_caller]
    pub fn try_spawn<T: 'scope>(
        &'scope self,
        future: impl Future<Output = Result<T, E>> + 'scope,
    ) -> ScopedTask<'scope, T> {
        self.try_spawn_of_type(future)
    }

    /// As [`try_spawn`](Self::try_spawn), with a name for the type.
    #[track_caller]
    fn try_spawn_of_type<T: 'scope, F>(&'scope self, future: F) -> ScopedTask<'scope, T>
    where
        F: Future<Output = Result<T, E>> + 'scope,
    {
        match const { is_large::<F>() } {
            true => self.try_spawn_here(Box::pin(future)),
            false => self.try_spawn_here(future),
        }
    }

    #[track_caller]
    fn try_spawn_here<T: 'scope>(
        &'scope self,
        future: impl Future<Output = Result<T, E>> + 'scope,
    ) -> ScopedTask<'scope, T> {
        self.verdict.attempt();
        let attempt = ScopeAttempt(self);
        self.scope.spawn(Attempting::new(future, attempt))
    }

    /// Sets the effect of one child's failure on the other children. The default is
    /// [`Policy::AllSucceed`].
    ///
    /// Call it before the first child is spawned: each outcome is judged by the policy of its time.
    pub fn policy(&self, policy: Policy) -> &Self {
        self.verdict.set_policy(policy);
        self.core().isolates().set(policy == Policy::Supervise);
        let drops = matches!(policy, Policy::Collect | Policy::Supervise);
        self.core().drops_dependants().set(drops);
        self
    }

    /// Ends the scope: body and children are dropped, and the scope gives a [`ScopeError`] with the
    /// reason and the place of this call. Clean-ups still run.
    ///
    /// A body or child that calls this is dropped when it next waits. If the body has returned its
    /// value by then, the scope gives the value: only children are cancelled. Only the first call
    /// sets the reason.
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<Box<str>>) {
        let cancelled = Cancelled::new(reason.into(), Location::caller());
        self.fulfil(self.verdict.end(Cause::Cancelled(cancelled)));
    }

    /// Ends the scope when `deadline` comes, by the loop's
    /// [`time`](crate::event_loop::LoopHandle::time). If the scope can end at the same time, it
    /// ends with its value. Calling this again sets another deadline. Clean-ups are limited only by
    /// [`grace`](Scope::grace).
    ///
    /// # Panics
    ///
    /// The scope panics if it is then polled outside of a loop.
    pub fn deadline(&self, deadline: Instant) -> &Self {
        self.reschedule(Some(Until::At(deadline)))
    }

    /// Ends the scope when `duration` has passed from now on. As [`deadline`](Self::deadline).
    pub fn timeout(&self, duration: Duration) -> &Self {
        self.reschedule(Some(Until::After(duration)))
    }

    fn reschedule(&self, until: Option<Until>) -> &Self {
        let before = self.until.replace(until);
        drop(before);
        self.core().wake_parent();
        self
    }

    /// Whether the scope is ending, so that it takes no more children.
    pub fn is_cancelled(&self) -> bool {
        self.core().is_ending()
    }

    fn core(&self) -> &ScopeCore<'scope> {
        &self.scope.core
    }

    fn fulfil(&self, duty: Duty) {
        match duty {
            Duty::Nothing => {}
            Duty::EndChildren => self.core().end_children(),
            Duty::EndAfterTurn => self.core().end_after_turn(),
            Duty::End => self.core().end_all(),
        }
    }

    /// Ends the scope if its deadline has come.
    fn check(&self, cx: &mut Context<'_>) {
        let until = self.until.take();
        if let Some(mut until) = until {
            if until.poll(cx).is_ready() {
                self.fulfil(self.verdict.end(Cause::Elapsed));
            }
            self.until.borrow_mut().get_or_insert(until);
        }
    }
}

/// A child that can still succeed or fail. Dropped when it has an outcome, or never will.
struct ScopeAttempt<'a, 'scope, 'env, E>(&'a TryScope<'scope, 'env, E>);

impl<E> Judge<E> for ScopeAttempt<'_, '_, '_, E> {
    fn judge<T>(&self, result: Result<T, E>) -> Option<T> {
        let (value, duty) = self.0.verdict.judge(result);
        self.0.fulfil(duty);
        if value.is_none() {
            self.0.core().drop_running();
        }
        value
    }
}

impl<E> Drop for ScopeAttempt<'_, '_, '_, E> {
    fn drop(&mut self) {
        self.0.fulfil(self.0.verdict.attempt_over());
    }
}

impl<E> fmt::Debug for TryScope<'_, '_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryScope")
            .field("policy", &self.verdict.policy())
            .finish_non_exhaustive()
    }
}
