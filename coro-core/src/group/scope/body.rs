//! A scope whose children are simply awaited.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use super::super::ready::Ready;
use super::core::{Core, Guard};
use super::task::ScopedTask;
use crate::event_loop::LoopHandle;
use crate::report::{ErrorReport, ReportKind};
use crate::wait::until::Until;

/// Runs `body`, which may spawn children that borrow whatever outlives the scope; ends when the
/// body and all of the children have, and gives what the body returned.
///
/// Nothing has to be `Send` or `'static`, and nothing is left running behind. For children that can
/// fail, and for what can be cancelled or has a deadline, there is [`try_scope`](crate::group::try_scope).
/// The counterpart of Trio's nurseries; for one thread, what [`std::thread::scope`] is for several.
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
/// # The order of things
///
/// The body and its children take turns, first come, first served, inside of the poll of the scope's
/// future; children begin in the order in which they were spawned, and only those that were woken
/// are polled. In one poll of the scope each has one turn, and all together 64 at most, so that a
/// scope whose children are always ready holds up nobody else. The scope runs under any executor,
/// and its future can be raced, selected, or moved between tasks.
///
/// # Depth
///
/// A scope polls its children inside of its own poll, so scopes within children of scopes take
/// stack: about 4 KiB a level in debug builds and 0.6 KiB in release builds, for a
/// [`try_scope`](crate::group::try_scope) 5 KiB and 1.1 KiB. A stack of 2 MiB, as threads have by default,
/// is enough for 500 or 3,400 levels of this, and for 400 or 1,900 of that. Where a depth is not
/// bounded, spawn tasks: those take no stack of one another's.
///
/// # Panics
///
/// With the first panic of the body's or a child's, once all others have been dropped and the
/// clean-ups are done. Later ones were printed by the panic hook, and have no other effect.
///
/// # Dropping
///
/// Dropping the future midway drops the body, then the children in the order in which they were
/// spawned, then the clean-ups, which do not run. While destructors run, the scope takes no more
/// children: what they spawn is dropped at once. Forgetting the future leaks it, with all that it
/// owns, and does no other harm.
pub async fn scope<'env, T, F>(body: F) -> T
where
    F: for<'scope> AsyncFnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let ready = Ready::default();
    let scope = ManuallyDrop::new(Scope::new(&ready));
    let _guard = Guard(&scope.core);
    let body = pin!(Some(body(&scope)));
    match run(&scope.core, body, |_| ()).await {
        Some(output) => output,
        None => unreachable!("a scope that cannot fail was ended"),
    }
}

/// What the body of a [`scope`] spawns children with.
///
/// `'scope` is the time during which children may be spawned, `'env` that during which what they
/// borrow is there, which is all of the scope's life and longer.
pub struct Scope<'scope, 'env: 'scope> {
    pub(super) core: Core<'scope>,
    /// Invariant in both, as otherwise a child could borrow what it outlives.
    lifetimes: PhantomData<(&'scope mut &'scope (), &'env mut &'env ())>,
}

impl<'scope, 'env> Scope<'scope, 'env> {
    pub(super) fn new(ready: &'scope Ready) -> Self {
        Scope {
            core: Core::new(ready),
            lifetimes: PhantomData,
        }
    }

    /// Makes `future` a child of the scope, which begins with its next turn.
    ///
    /// It can be called from the body and from children, however deeply nested, but also while
    /// one of them is dropped. Once the scope is ending it takes nobody in: the future is dropped
    /// at once, and whoever awaits the handle waits for the end.
    ///
    /// The child may borrow what the scope's own future may borrow, and the scope itself. What
    /// belongs to the body it has to own, by `async move` and clones.
    pub fn spawn<T: 'scope>(
        &'scope self,
        future: impl Future<Output = T> + 'scope,
    ) -> ScopedTask<'scope, T> {
        ScopedTask::spawn(&self.core, future)
    }

    /// Registers a clean-up that may wait: it runs when the body and all children have ended,
    /// whatever they ended with.
    ///
    /// The last one to be registered runs first, one after another. They run to their ends though
    /// the scope was cancelled or its deadline has passed, but together for no longer than the
    /// [`grace`](Self::grace) time: what has not run by then is dropped, and that is reported to
    /// the loop's exception handler. When the scope's future is dropped they do not run, since
    /// nobody is left to wait for them.
    pub fn defer(&'scope self, clean_up: impl Future<Output = ()> + 'scope) {
        self.core.defer(Box::pin(clean_up));
    }

    /// How long the clean-ups may take, all together: 5 seconds unless it is said here.
    ///
    /// [`Duration::MAX`] means as long as they like, which is also so outside of a loop: there is
    /// no clock then.
    pub fn grace(&self, duration: Duration) -> &Self {
        self.core.grace().set(duration);
        self
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// Runs a scope to its end, and gives the body's output, if it came so far. `besides` is called
/// after each poll, and may end the scope.
pub(super) async fn run<B: Future>(
    core: &Core<'_>,
    mut body: Pin<&mut Option<B>>,
    mut besides: impl FnMut(&mut Context<'_>),
) -> Option<B::Output> {
    let mut output = None;
    poll_fn(|cx| {
        while core.poll(body.as_mut(), &mut output).is_pending() {
            besides(cx);
            if !core.ends_now() {
                return core.wait(cx);
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

async fn clean_up(core: &Core<'_>) {
    let Some(mut next) = core.next_clean_up() else {
        return;
    };
    let mut grace = LoopHandle::try_current().map(|_| Until::After(core.grace().get()));
    loop {
        let in_time = poll_fn(|cx| {
            let mut polled = Poll::Ready(());
            core.contain(|| polled = next.as_mut().poll(cx));
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

fn report_cut_short() {
    if let Some(current) = LoopHandle::try_current() {
        let message = "a clean-up of a scope was not done within the grace time";
        current.report(ErrorReport::new(ReportKind::CleanUpCutShort, message));
    }
}
