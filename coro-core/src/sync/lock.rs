//! A lock around a value.

use std::cell::{Cell, RefCell, RefMut};
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use crate::wait::queue::{Service, Wait, WaitQueue};

/// Gives one task at a time access to the value inside. The counterpart of `asyncio.Lock`.
///
/// On one thread a lock is needed only if a value must not change across an `.await`. Otherwise a
/// `Cell` or `RefCell` will do.
///
/// ```
/// use coro::sync::Lock;
///
/// coro::run(async {
///     let account = Lock::new(100);
///     let withdraw = async |amount| {
///         let mut balance = account.lock().await;
///         let left = *balance - amount;
///         coro::yield_now().await; // no other task sees the account meanwhile
///         *balance = left;
///     };
///     coro::gather((withdraw(30), withdraw(50))).await;
///     assert_eq!(*account.lock().await, 20);
/// });
/// ```
///
/// It is handed over in the order in which tasks asked for it. It is not re-entrant: a task that
/// asks for a lock that it holds waits for itself, for ever. A panic releases the lock and poisons
/// nothing.
#[doc(alias = "Mutex")]
pub struct Lock<T> {
    /// [`FREE`], or [`HELD`] beside the address in the waker of the holder, if that is known. A dump
    /// compares the address, to name the holder; nothing else uses it.
    holder: Cell<usize>,
    waiters: WaitQueue<()>,
    /// `None` only while an owned guard holds the value.
    value: RefCell<Option<T>>,
}

/// The lock is free.
const FREE: usize = 0;

/// The bit of a lock that is held. The addresses in the wakers of tasks are even.
const HELD: usize = 1;

impl<T> Lock<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        Lock {
            holder: Cell::new(FREE),
            waiters: WaitQueue::new(),
            value: RefCell::new(Some(value)),
        }
    }

    /// Waits for the lock. If it is free, this does not suspend.
    ///
    /// Dropping the wait gives up its place in line, and loses nothing else.
    #[inline]
    pub fn lock(&self) -> LockFuture<'_, T> {
        LockFuture(Wait::new(self, ()))
    }

    /// The lock, if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<LockGuard<'_, T>> {
        self.try_serve(&mut ()).then(|| self.guard())
    }

    /// As [`lock`](Self::lock), with a guard that keeps the lock alive instead of borrowing it.
    ///
    /// The value is moved into the guard, and back when the guard is dropped: box a large value.
    pub async fn lock_owned(self: Rc<Self>) -> OwnedLockGuard<T> {
        Wait::new(&*self, ()).await;
        OwnedLockGuard::new(self)
    }

    /// As [`try_lock`](Self::try_lock), with a guard that keeps the lock alive.
    ///
    /// # Errors
    ///
    /// The reference itself, if the lock is held.
    pub fn try_lock_owned(self: Rc<Self>) -> Result<OwnedLockGuard<T>, Rc<Self>> {
        match self.try_serve(&mut ()) {
            true => Ok(OwnedLockGuard::new(self)),
            false => Err(self),
        }
    }

    /// Whether the lock is held.
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.holder.get() != FREE
    }

    /// The value; `&mut self` shows that the lock is not held.
    pub fn get_mut(&mut self) -> &mut T {
        present(self.value.get_mut())
    }

    /// Consumes the lock and gives its value.
    pub fn into_inner(self) -> T {
        let value = self.value.into_inner();
        value.expect("an owned guard keeps its lock alive")
    }

    /// Takes the lock if it is free, for the task with this address in its waker.
    #[inline(always)]
    fn take_for(&self, address: usize) -> bool {
        let is_free = !self.is_locked();
        if is_free {
            self.holder.set(address | HELD);
        }
        is_free
    }

    #[inline]
    fn guard(&self) -> LockGuard<'_, T> {
        LockGuard {
            value: RefMut::map(self.value.borrow_mut(), present),
            lock: ReleaseLock(self),
        }
    }

    #[inline]
    fn release(&self) {
        let hand_over = |(): &mut ()| {
            self.holder.set(HELD); // by an unknown holder, until the waiter runs
            true
        };
        if !self.waiters.serve(hand_over) {
            self.holder.set(FREE);
        }
    }
}

#[inline]
fn present<T>(value: &mut Option<T>) -> &mut T {
    value.as_mut().expect("the holder of a lock has its value")
}

impl<T> Service for Lock<T> {
    type Request = ();

    #[inline]
    fn queue(&self) -> &WaitQueue<()> {
        &self.waiters
    }

    /// A free lock has no waiters.
    #[inline]
    fn would_serve(&self, (): &()) -> bool {
        !self.is_locked()
    }

    #[inline]
    fn try_serve(&self, (): &mut ()) -> bool {
        self.take_for(0)
    }

    #[inline(always)]
    fn try_serve_to(&self, to: &Waker, (): &mut ()) -> bool {
        self.take_for(to.data().addr())
    }

    fn abandoned(&self, (): (), served: bool) {
        if served {
            self.release();
        }
    }

    #[inline(always)]
    fn granted(&self, to: &Waker) {
        self.holder.set(to.data().addr() | HELD);
    }

    fn holder(&self) -> usize {
        self.holder.get() & !HELD
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Lock::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Lock");
        match self.value.try_borrow() {
            Ok(value) if value.is_some() => debug.field("value", value.as_ref().unwrap()),
            _ => debug.field("value", &format_args!("<locked>")),
        };
        debug.field("waiting", &self.waiters.len()).finish()
    }
}

/// The future of [`Lock::lock`].
#[derive(Debug)]
#[must_use = "a lock is waited for by awaiting this"]
pub struct LockFuture<'a, T>(Wait<&'a Lock<T>>);

impl<'a, T> Future for LockFuture<'a, T> {
    type Output = LockGuard<'a, T>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(self.0.service().guard())
    }
}

/// Access to the value of a [`Lock`]; dropping it hands the lock to the first waiter.
#[must_use = "a guard that is not kept releases the lock at once"]
pub struct LockGuard<'a, T> {
    // The order counts: the borrow of the value ends before the lock is released.
    value: RefMut<'a, T>,
    lock: ReleaseLock<'a, T>,
}

struct ReleaseLock<'a, T>(&'a Lock<T>);

impl<T> Drop for ReleaseLock<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.release();
    }
}

impl<'a, T> LockGuard<'a, T> {
    /// The lock that this guard belongs to.
    pub(super) fn lock(guard: &Self) -> &'a Lock<T> {
        guard.lock.0
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// As [`LockGuard`], but it keeps the lock alive: [`Lock::lock_owned`].
#[must_use = "a guard that is not kept releases the lock at once"]
pub struct OwnedLockGuard<T> {
    lock: Rc<Lock<T>>,
    /// Put back when the guard is dropped.
    value: Option<T>,
}

impl<T> OwnedLockGuard<T> {
    /// The caller must just have been given the lock.
    fn new(lock: Rc<Lock<T>>) -> Self {
        let value = lock.value.take();
        OwnedLockGuard { lock, value }
    }
}

impl<T> Deref for OwnedLockGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is put back on drop only")
    }
}

impl<T> DerefMut for OwnedLockGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        present(&mut self.value)
    }
}

impl<T> Drop for OwnedLockGuard<T> {
    fn drop(&mut self) {
        *self.lock.value.borrow_mut() = self.value.take();
        self.lock.release();
    }
}

impl<T: fmt::Debug> fmt::Debug for OwnedLockGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
