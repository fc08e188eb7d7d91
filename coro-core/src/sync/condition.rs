//! A condition: waits for a change of the value in a lock.

use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::task::Poll;

use super::lock::LockGuard;
use crate::task::budget;
use crate::wait::queue::{Service, Wait, WaitQueue};

/// Lets tasks wait until the value of a [`Lock`](super::Lock) satisfies them. The counterpart of
/// `asyncio.Condition`; the shape is that of [`std::sync::Condvar`].
///
/// ```
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
/// One condition may serve several locks. Notifying does not need the lock.
#[derive(Default)]
#[doc(alias = "Condvar")]
pub struct Condition {
    waiters: WaitQueue<()>,
}

impl Condition {
    /// A condition without waiters.
    #[inline]
    pub const fn new() -> Self {
        Condition {
            waiters: WaitQueue::new(),
        }
    }

    /// Releases the lock, waits for a notification, and then waits for the lock again.
    ///
    /// The value may change once more before the lock is granted, and a notification may be one
    /// that a dropped waiter passed on. So check the value, or use [`wait_for`](Self::wait_for).
    ///
    /// Dropping the future releases the lock, at whatever point it is. A notification that it has
    /// got goes to the next waiter.
    pub async fn wait<'a, T>(&self, guard: LockGuard<'a, T>) -> LockGuard<'a, T> {
        let lock = LockGuard::lock(&guard);
        let mut wait = Wait::new(self, ());
        // Be in line before the lock is released, so that no notification is missed.
        let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut wait).poll(cx))).await;
        debug_assert!(first.is_pending());
        drop(guard);
        wait.await;
        let notified = Notified(self);
        let guard = lock.lock().await;
        mem::forget(notified);
        guard
    }

    /// Waits until `predicate` holds of the value: at once if it does now.
    ///
    /// Dropping the future has the effect that [`wait`](Self::wait) describes.
    ///
    /// # Panics
    ///
    /// If `predicate` panics. The lock is released.
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

    /// Wakes the first `n` waiters, or all if they are fewer. They continue one after another, as
    /// each gets the lock.
    #[inline]
    pub fn notify(&self, n: usize) {
        let mut left = n;
        self.waiters.serve_while(|()| {
            let any = left > 0;
            left = left.saturating_sub(1);
            any
        });
    }

    /// Wakes the first waiter.
    #[inline]
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Wakes all waiters.
    #[inline]
    pub fn notify_all(&self) {
        self.waiters.serve_while(|()| true);
    }
}

impl Service for Condition {
    type Request = ();

    #[inline]
    fn queue(&self) -> &WaitQueue<()> {
        &self.waiters
    }

    #[inline]
    fn would_serve(&self, (): &()) -> bool {
        false
    }

    #[inline]
    fn abandoned(&self, (): (), served: bool) {
        if served {
            self.notify_one();
        }
    }
}

/// A notification whose waiter does not have the lock yet; if dropped, it goes to the next waiter.
struct Notified<'a>(&'a Condition);

impl Drop for Notified<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl fmt::Debug for Condition {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition")
            .field("waiting", &self.waiters.len())
            .finish()
    }
}
