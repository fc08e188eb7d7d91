//! A scope whose children can fail.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, pending};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::Location;
use std::pin::pin;
use std::task::Context;
use std::time::{Duration, Instant};

use super::super::ready::Ready;
use super::body::{Scope, run};
use super::core::{Core, Guard};
use super::error::{Cause, ScopeError};
use super::task::ScopedTask;
use crate::error::Cancelled;
use crate::task::{boxed_future, is_large_value};
use crate::wait::until::Until;

/// Runs `body`, which may spawn children that borrow whatever outlives the scope, and that may
/// fail; ends when the body and all of the children have.
///
/// As [`scope`](crate::scope), and besides: a child made with [`try_spawn`](TryScope::try_spawn)
/// fails when it returns an error, and so does the scope, in the way that its [`Policy`] says;
/// [`cancel`](TryScope::cancel) and a [`deadline`](TryScope::deadline) end it early. The
/// counterpart of `asyncio.TaskGroup`.
///
/// ```
/// # use coro_core as coro;
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
/// A [`ScopeError`] with all failures, in the order in which they happened; an error that the body
/// returns is one of them. If the scope was cancelled before the body had ended, and when its
/// deadline comes before the last child has ended, it says so.
///
/// # Panics and dropping
///
/// As for [`scope`](crate::scope). When the future is dropped midway, failures that have happened
/// are lost with it.
pub async fn try_scope<'env, T, E: 'env, F>(body: F) -> Result<T, ScopeError<E>>
where
    F: for<'scope> AsyncFnOnce(&'scope TryScope<'scope, 'env, E>) -> Result<T, E>,
{
    let ready = Ready::default();
    let failures = RefCell::new(Vec::new());
    let cause = RefCell::new(None);
    let until = RefCell::new(None);
    let scope = ManuallyDrop::new(TryScope {
        scope: Scope::new(&ready),
        policy: Cell::new(Policy::AllSucceed),
        failures: &failures,
        cause: &cause,
        until: &until,
        trying: Cell::new(0),
        has_succeeded: Cell::new(false),
    });
    let core = &scope.scope.core;
    let _guard = Guard(core);
    let body = pin!(Some(async {
        let result = body(&scope).await;
        result.map_err(|error| scope.fail(error))
    }));
    let output = run(core, body, |cx| scope.check(cx)).await;
    let value = output.and_then(Result::ok);
    ScopeError::settle(value, cause.take(), failures.take(), scope.policy.get())
}

/// What the failure of one child means to the others, in a [`try_scope`].
///
/// A failure is the error of a child made with [`try_spawn`](TryScope::try_spawn). What such a
/// child has no value for, nobody can go on with: under the last two policies whoever awaits the
/// handle of one that has failed is dropped there; under the first two the scope's end is what it
/// waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Policy {
    /// The first failure, the body's included, ends the scope: body and children are dropped.
    #[default]
    AllSucceed,
    /// The first child to succeed ends the other children, and the body goes on with its value.
    /// Failures are forgiven, unless all children that could succeed have failed: that ends the
    /// scope.
    FirstSucceeds,
    /// Failures end nobody; if there are any the scope fails in the end, with all of them.
    Collect,
    /// Failures end nobody, and are forgiven if the body returns a value. A panic, too, is that
    /// child's alone: whoever awaits it panics, and if nobody does it is reported to the loop's
    /// exception handler.
    Supervise,
}

impl Policy {
    /// Whether a scope in which something has failed still has a value if its body has one.
    pub(super) fn forgives(self) -> bool {
        matches!(self, Policy::FirstSucceeds | Policy::Supervise)
    }
}

/// What the body of a [`try_scope`] spawns children with; it is a [`Scope`], too.
pub struct TryScope<'scope, 'env: 'scope, E: 'env> {
    scope: Scope<'scope, 'env>,
    policy: Cell<Policy>,
    failures: &'scope RefCell<Vec<E>>,
    /// Why the scope ends before its time.
    cause: &'scope RefCell<Option<Cause>>,
    until: &'scope RefCell<Option<Until>>,
    /// How many children can still succeed.
    trying: Cell<usize>,
    has_succeeded: Cell<bool>,
}

impl<'scope, 'env, E> Deref for TryScope<'scope, 'env, E> {
    type Target = Scope<'scope, 'env>;

    fn deref(&self) -> &Self::Target {
        &self.scope
    }
}

impl<'scope, E> TryScope<'scope, '_, E> {
    /// Makes `future` a child whose error is a failure of the scope's.
    ///
    /// The handle gives the value of its success. Otherwise as [`Scope::spawn`].
    pub fn try_spawn<T: 'scope>(
        &'scope self,
        future: impl Future<Output = Result<T, E>> + 'scope,
    ) -> ScopedTask<'scope, T> {
        match is_large_value(&future) {
            true => self.try_spawn_here(boxed_future(future)),
            false => self.try_spawn_here(future),
        }
    }

    fn try_spawn_here<T: 'scope>(
        &'scope self,
        future: impl Future<Output = Result<T, E>> + 'scope,
    ) -> ScopedTask<'scope, T> {
        self.trying.set(self.trying.get() + 1);
        let attempt = Attempt(self);
        self.scope.spawn(async move {
            match attempt.judge(future.await) {
                Some(value) => value,
                None => pending().await,
            }
        })
    }

    /// What the failure of a child means to the others; [`Policy::AllSucceed`] unless it is said
    /// here.
    ///
    /// Say it before the first child is spawned: what has happened was judged by the policy of its
    /// time.
    pub fn policy(&self, policy: Policy) -> &Self {
        self.policy.set(policy);
        self.core().isolates().set(policy == Policy::Supervise);
        let drops = matches!(policy, Policy::Collect | Policy::Supervise);
        self.core().drops_dependants().set(drops);
        self
    }

    /// Ends the scope: body and children are dropped, and it gives a [`ScopeError`] that says why
    /// and from where; clean-ups still run.
    ///
    /// Whoever calls it is dropped when next it waits. If the body has returned its value by then
    /// the scope gives that: only children are cancelled. The first call counts.
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<Box<str>>) {
        self.end(Cause::Cancelled(Cancelled::new(
            reason.into(),
            Location::caller(),
        )));
    }

    /// Ends the scope when `deadline` comes, by the loop's [`time`](crate::LoopHandle::time); what
    /// is ready at the same time wins. Calling it again reschedules; clean-ups have no deadline
    /// but their own.
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

    fn core(&self) -> &Core<'scope> {
        &self.scope.core
    }

    fn fail(&self, error: E) {
        self.failures.borrow_mut().push(error);
        if self.policy.get() == Policy::AllSucceed {
            self.end(Cause::Failed);
        }
    }

    fn end(&self, cause: Cause) {
        self.cause.borrow_mut().get_or_insert(cause);
        self.core().end_all();
    }

    /// Ends the scope if its deadline has come, or, where one success is enough, there can be none
    /// any more.
    fn check(&self, cx: &mut Context<'_>) {
        let until = self.until.take();
        if let Some(mut until) = until {
            if until.poll(cx).is_ready() {
                self.end(Cause::Elapsed);
            }
            self.until.borrow_mut().get_or_insert(until);
        }
    }

    /// A child that could succeed has ended.
    fn tried(&self) {
        self.trying.set(self.trying.get() - 1);
        if self.policy.get() != Policy::FirstSucceeds || self.core().is_ending() {
            return;
        }
        if self.has_succeeded.get() {
            self.core().end_children();
        } else if self.trying.get() == 0 && !self.failures.borrow().is_empty() {
            self.end(Cause::Failed);
        }
    }
}

/// One child that can succeed, for as long as it can.
struct Attempt<'a, 'scope, 'env, E>(&'a TryScope<'scope, 'env, E>);

impl<E> Attempt<'_, '_, '_, E> {
    fn judge<T>(&self, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => {
                self.0.has_succeeded.set(true);
                Some(value)
            }
            Err(error) => {
                self.0.fail(error);
                self.0.core().drop_running();
                None
            }
        }
    }
}

impl<E> Drop for Attempt<'_, '_, '_, E> {
    fn drop(&mut self) {
        self.0.tried();
    }
}

impl<E> fmt::Debug for TryScope<'_, '_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryScope")
            .field("policy", &self.policy.get())
            .finish_non_exhaustive()
    }
}
