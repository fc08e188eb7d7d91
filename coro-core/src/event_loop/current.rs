//! The current loop of a thread, `LoopHandle::current`, with functions that use it.

use std::future::Future;
use std::panic::Location;
use std::time::{Duration, Instant};

use super::{CallHandle, Core, LoopHandle, TimerHandle};
use crate::task::{Scheduler, Task, TaskHandle, current as inside, is_large};

impl LoopHandle {
    /// The loop that this thread is inside of.
    ///
    /// # Panics
    ///
    /// Outside of a loop. Inside means: called, however deeply, by a task, a callout or the main
    /// future of a loop that runs on this thread.
    #[track_caller]
    pub fn current() -> Self {
        Self::try_current().expect(
            "no event loop is running on this thread: call this inside coro::run(..) or in a task \
             or callout of a loop; from other threads use a RemoteHandle",
        )
    }

    /// The loop that this thread is inside of, if it is inside of one.
    pub fn try_current() -> Option<Self> {
        Some(LoopHandle::new(inside::context()?.downcast::<Core>().ok()?))
    }
}

/// Makes a task of `future` on the present loop; see [`LoopHandle::spawn`].
///
/// ```
/// coro::run(async {
///     let sum = coro::spawn(async { 1 + 2 });
///     assert_eq!(sum.await.unwrap(), 3);
/// });
/// ```
///
/// # Panics
///
/// Outside of a loop.
#[inline]
#[track_caller]
pub fn spawn<F, T>(future: F) -> Task<T>
where
    F: Future<Output = T> + 'static,
{
    // The output is a parameter, as a projection would have the compiler report a wrong argument twice.
    if !inside::is_inside() {
        LoopHandle::current(); // panics with the reason
    }
    let origin = Location::caller();
    match const { is_large::<F>() } {
        true => spawn_here(Box::pin(future), origin),
        false => spawn_here(future, origin),
    }
}

#[inline]
fn spawn_here<F: Future + 'static>(
    future: F,
    origin: &'static Location<'static>,
) -> Task<F::Output> {
    Scheduler::with_current(|scheduler| scheduler.spawn(future, origin, false))
}

/// Has the present loop call `f` in its next turn; see [`LoopHandle::call_soon`].
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn call_soon(f: impl FnOnce() + 'static) -> CallHandle {
    LoopHandle::current().call_soon(f)
}

/// Has the present loop call `f` when `delay` has passed; see [`LoopHandle::call_later`].
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn call_later(delay: Duration, f: impl FnOnce() + 'static) -> TimerHandle {
    LoopHandle::current().call_later(delay, f)
}

/// Has the present loop call `f` at `when`; see [`LoopHandle::call_at`].
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn call_at(when: Instant, f: impl FnOnce() + 'static) -> TimerHandle {
    LoopHandle::current().call_at(when, f)
}

/// The task that is being run; for a main future, its stand-in. The counterpart of
/// `asyncio.current_task`.
///
/// `None` outside of a loop and in a callout.
pub fn current_task() -> Option<TaskHandle> {
    TaskHandle::current(&LoopHandle::try_current()?.core().scheduler)
}
