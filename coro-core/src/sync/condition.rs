//! Waiting for a change of what a lock guards.

use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::task::Poll;

use super::lock::LockGuard;
use crate::task::budget;
use crate::wait::queue::{Service, Wait, WaitQueue};

/// Lets tasks wait until the value of a [`Lock`](super::Lock) is as they need it. The counterpart of
/// `asyncio.Condition`; the shape is that of [`std::sync::Condvar`].
///
/// ```
/// # use coro_core as coro;
/// use coro::sync::{Condition, Lock};
///
/// coro::run(async {
///     let (stock, arrived) = (Lock::new(0), Condition::new());
///     let buyer = async {
///         let mut stock = arrived.wait_for(stock.lock().await, |stock| *stock >= 2).await;
///         *stock -= 2;
///     };
///     let deliverer = async {
///         for _ in 0..3 {
///             *stock.lock().await += 1;
///             arrived.notify_all();
///         }
///     };
///     coro::gather((buyer, deliverer)).await;
///     assert_eq!(*stock.lock().await, 1);
/// });
/// ```
///
/// One may serve several locks. Notifying does not need the lock.
#[derive(Default)]
pub struct Condition {
    waiters: WaitQueue<()>,
}

impl Condition {
    /// A condition that nobody waits for.
    pub const fn new() -> Self {
        Condition {
            waiters: WaitQueue::new(),
        }
    }

    /// Releases the lock, waits to be notified, and then for the lock again.
    ///
    /// The value may have changed once more before the lock is had, and a notification may come
    /// from one who gave up: check the value, or use [`wait_for`](Self::wait_for).
    ///
    /// Dropped, it holds the lock no more, at whatever point it was. A notification that it had
    /// got goes to the next who waits.
    pub async fn wait<'a, T>(&self, guard: LockGuard<'a, T>) -> LockGuard<'a, T> {
        let lock = LockGuard::lock(&guard);
        let mut wait = Wait::new(self, ());
        // Be in line before the lock is released, lest a notification be missed.
        let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut wait).poll(cx))).await;
        debug_assert!(first.is_pending());
        drop(guard);
        wait.await;
        let notified = Notified(self);
        let guard = lock.lock().await;
        mem::forget(notified);
        guard
    }

    /// Waits until `predicate` holds of the value: at once if it does.
    ///
    /// Dropped, it is as [`wait`](Self::wait).
    ///
    /// # Panics
    ///
    /// If `predicate` does. The lock is released.
    pub async fn wait_for<'a, T>(
        &self,
        mut guard: LockGuard<'a, T>,
        mut predicate: impl FnMut(&mut T) -> bool,
    ) -> LockGuard<'a, T> {
        poll_fn(budget::poll).await;
        while !predicate(&mut guard) {
            guard = self.wait(guard).await;
        }
        guard
    }

    /// Wakes the first `n` of those who wait, or all if they are fewer. They go on one after
    /// another, as each gets the lock.
    pub fn notify(&self, n: usize) {
        let mut left = n;
        self.waiters.serve_while(|()| {
            let any = left > 0;
            left = left.saturating_sub(1);
            any
        });
    }

    /// Wakes the first of those who wait.
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Wakes all who wait.
    pub fn notify_all(&self) {
        self.waiters.serve_while(|()| true);
    }
}

impl Service for Condition {
    type Request = ();

    fn queue(&self) -> &WaitQueue<()> {
        &self.waiters
    }

    fn would_admit(&self, (): &()) -> bool {
        false
    }

    fn left(&self, (): (), served: bool) {
        if served {
            self.notify_one();
        }
    }
}

/// A notification, until the lock is had: dropped, it goes to the next.
struct Notified<'a>(&'a Condition);

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition")
            .field("waiting", &self.waiters.len())
            .finish()
    }
}
