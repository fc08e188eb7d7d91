//! A scope whose children cannot fail.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use super::super::ready::WokenMembers;
use super::core::{Guard, ScopeCore};
use super::task::ScopedTask;
use crate::event_loop::LoopHandle;
use crate::report::{ErrorReport, ReportKind};
use crate::task::{Step, looking};
use crate::wait::until::Until;

/// Runs `body`, which may spawn children that borrow any value that outlives the scope. Ends when
/// the body and all children have ended, and gives the value that the body returned.
///
/// Nothing has to be `Send` or `'static`, and no child runs afterwards. For children that can fail,
/// or a scope that can be cancelled or has a deadline, use [`try_scope`](crate::group::try_scope).
/// The counterpart of Trio's nurseries, and of [`std::thread::scope`] for one thread.
///
/// ```
/// use std::cell::Cell;
///
/// coro::run(async {
///     let words = vec!["to", "be", "or", "not"];
///     let letters = Cell::new(0);
///     let first = coro::scope(async |s| {
///         for word in &words {
///             s.spawn(async { letters.set(letters.get() + word.len()) });
///         }
///         s.spawn(async { words[0] }).await
///     });
///     assert_eq!(first.await, "to");
///     assert_eq!(letters.get(), 9);
/// });
/// ```
///
/// # If the compiler says ..
///
/// - "type annotations needed", at the closure's parameter: write an async closure, `async |s| { .. }`,
///   instead of `|s| async move { .. }`.
///
/// # The order of things
///
/// The body and its children take turns in the order in which they were woken, inside of the poll
/// of the scope's future. Children begin in the order in which they were spawned, and only woken
/// ones are polled. In one poll of the scope each has one turn, and all together at most 64, so
/// that a scope whose children are always ready does not hold up other tasks. The scope runs under
/// any executor, and its future can be raced, selected, or moved between tasks.
///
/// # Depth
///
/// A scope polls its children inside of its own poll, so scopes within children of scopes take
/// stack: about 4 KiB a level in debug builds and 0.6 KiB in release builds, for a
/// [`try_scope`](crate::group::try_scope) 5 KiB and 1.1 KiB. A stack of 2 MiB, the default of
/// threads, is enough for 500 levels of `scope` in debug builds and 3,400 in release builds, and
/// for 400 and 1,900 levels of `try_scope`. If the depth is not bounded, spawn tasks instead: a
/// task takes no stack of the task that spawned it.
///
/// # Panics
///
/// With the first panic of the body or of a child, once the others have been dropped and the
/// clean-ups are done. Later panics were printed by the panic hook, and have no other effect.
///
/// # Dropping
///
/// Dropping the future midway drops the body, then the children in the order in which they were
/// spawned, then the clean-ups, which do not run. While destructors run, the scope takes no more
/// children: a future that they spawn is dropped at once. Forgetting the future leaks it, with all
/// that it owns, and does no other harm.
pub async fn scope<'env, T, F>(body: F) -> T
where
    F: for<'scope> AsyncFnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let ready = WokenMembers::default();
    let scope = ManuallyDrop::new(Scope::new(&ready));
    let _guard = Guard(&scope.core);
    let body = pin!(Some(body(&scope)));
    match run(&scope.core, body, |_| ()).await {
        Some(output) => output,
        None => unreachable!("a scope that cannot fail was ended"),
    }
}

/// The handle with which the body of a [`scope`] spawns children.
///
/// During `'scope` children may be spawned. During `'env` the values that they borrow exist; it
/// lasts longer than the scope.
pub struct Scope<'scope, 'env: 'scope> {
    pub(super) core: ScopeCore<'scope>,
    /// Makes the type invariant in both: otherwise a child could borrow a value that it outlives.
    lifetimes: PhantomData<(&'scope mut &'scope (), &'env mut &'env ())>,
}

impl<'scope, 'env> Scope<'scope, 'env> {
    #[inline]
    pub(super) fn new(ready: &'scope WokenMembers) -> Self {
        Scope {
            core: ScopeCore::new(ready),
            lifetimes: PhantomData,
        }
    }

    /// Makes `future` a child of the scope. The child begins with its next turn.
    ///
    /// It can be called from the body and from children, however deeply nested, and also while one
    /// of them is dropped. Once the scope is ending it takes no more children: the future is
    /// dropped at once, and a task that awaits the handle waits for the scope's end.
    ///
    /// The child may borrow the scope, and any value that the scope's own future may borrow. It
    /// must own values that belong to the body: use `async move` and clones.
    #[track_caller]
    pub fn spawn<T: 'scope>(
        &'scope self,
        future: impl Future<Output = T> + 'scope,
    ) -> ScopedTask<'scope, T> {
        ScopedTask::spawn(&self.core, future)
    }

    /// Registers a clean-up that may wait. It runs when the body and all children have ended, in
    /// whatever way.
    ///
    /// Clean-ups run one after another, the last registered first. They run to their ends even if
    /// the scope was cancelled or its deadline has passed, but together for no longer than the
    /// [`grace`](Self::grace) time: a clean-up that has not ended by then is dropped, and that is
    /// reported to the loop's exception handler. If the scope's future is dropped, clean-ups do not
    /// run, because no task awaits them.
    pub fn defer(&'scope self, clean_up: impl Future<Output = ()> + 'scope) {
        self.core.defer(Box::pin(clean_up));
    }

    /// Sets the time that all clean-ups together may take. The default is 5 seconds.
    ///
    /// [`Duration::MAX`] means no limit. Outside of a loop there is no limit either, because there
    /// is no clock.
    #[inline]
    pub fn grace(&self, duration: Duration) -> &Self {
        self.core.grace().set(duration);
        self
    }
}

impl fmt::Debug for Scope<'_, '_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// Runs a scope to its end, and gives the body's output, if the body has ended. `besides` is called
/// after each poll, and may end the scope.
pub(super) async fn run<B: Future>(
    core: &ScopeCore<'_>,
    mut body: Pin<&mut Option<B>>,
    mut besides: impl FnMut(&mut Context<'_>),
) -> Option<B::Output> {
    let mut output = None;
    poll_fn(|cx| {
        let bracket = looking::open_group("scope", false);
        while core.poll(body.as_mut(), &mut output).is_pending() {
            besides(cx);
            if !core.ends_now() {
                return bracket.close(core.wait(cx));
            }
        }
        Poll::Ready(())
    })
    .await;
    clean_up(core).await;
    if let Some(payload) = core.take_panic() {
        core.contain(|| drop(output));
        resume_unwind(payload);
    }
    output
}

#[inline]
async fn clean_up(core: &ScopeCore<'_>) {
    let Some(mut next) = core.next_clean_up() else {
        return;
    };
    let mut grace = LoopHandle::try_current().map(|_| Until::After(core.grace().get()));
    loop {
        let in_time = poll_fn(|cx| {
            let mut polled = Poll::Ready(());
            let step = || Step::During {
                operation: "clean-up",
                object: "of a scope".into(),
            };
            core.contain(|| polled = looking::under(step, || next.as_mut().poll(cx)));
            match (polled, &mut grace) {
                (Poll::Ready(()), _) => Poll::Ready(true),
                (Poll::Pending, Some(grace)) => grace.poll(cx).map(|()| false),
                (Poll::Pending, None) => Poll::Pending,
            }
        });
        if !in_time.await {
            report_cut_short();
        }
        core.contain(|| drop(next));
        match core.next_clean_up() {
            Some(clean_up) => next = clean_up,
            None => return,
        }
    }
}

#[inline]
fn report_cut_short() {
    if let Some(current) = LoopHandle::try_current() {
        let message = "a clean-up of a scope was not done within the grace time";
        current.report(ErrorReport::new(ReportKind::CleanUpCutShort, message));
    }
}
