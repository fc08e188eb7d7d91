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
    #[inline]
    pub fn current() -> Self {
        match Self::try_current() {
            Some(current) => current,
            None => outside_of_all(),
        }
    }

    /// The loop that this thread is inside of, if it is inside of one.
    #[inline]
    pub fn try_current() -> Option<Self> {
        Scheduler::current_loop::<Core>().map(LoopHandle::new)
    }
}

const OUTSIDE: &str = "no event loop is running on this thread: call this inside coro::run(..) or in a \
                       task or callout of a loop; from other threads use a RemoteHandle";

#[cold]
#[track_caller]
fn outside_of_all() -> ! {
    panic!("{OUTSIDE}")
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
#[doc(alias("create_task", "ensure_future", "spawn_local"))]
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
/// ```
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// coro::run(async {
///     let order = Rc::new(RefCell::new(Vec::new()));
///     for n in 1..=2 {
///         let order = order.clone();
///         coro::call_soon(move || order.borrow_mut().push(n));
///     }
///     assert!(order.borrow().is_empty()); // called in the next turn, in the order of the calls
///     coro::yield_now().await;
///     assert_eq!(*order.borrow(), [1, 2]);
/// });
/// ```
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
/// ```
/// use std::time::Duration;
///
/// use coro::sync::oneshot;
///
/// coro::run(async {
///     let (sender, receiver) = oneshot::channel();
///     coro::call_later(Duration::from_millis(2), move || drop(sender.send("late")));
///     let never = coro::call_later(Duration::from_millis(1), || unreachable!());
///     never.cancel();
///     assert_eq!(receiver.await, Ok("late"));
/// });
/// ```
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
/// ```
/// use std::time::Duration;
///
/// use coro::LoopHandle;
/// use coro::event_loop::call_at;
/// use coro::sync::oneshot;
///
/// coro::run(async {
///     let (sender, receiver) = oneshot::channel();
///     let when = LoopHandle::current().time() + Duration::from_millis(2);
///     call_at(when, move || drop(sender.send(LoopHandle::current().time())));
///     assert!(receiver.await.unwrap() >= when);
/// });
/// ```
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
///
/// ```
/// coro::run(async {
///     let task = coro::spawn(async {
///         let this = coro::task::current_task().unwrap();
///         this.set_name("worker");
///         this.name()
///     });
///     assert_eq!(task.await.unwrap(), "worker");
/// });
/// assert!(coro::task::current_task().is_none());
/// ```
pub fn current_task() -> Option<TaskHandle> {
    TaskHandle::current(&LoopHandle::try_current()?.core().scheduler)
}
