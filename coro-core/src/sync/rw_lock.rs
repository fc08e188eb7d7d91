//! A lock around a value that many tasks may read at once.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::fmt;
use std::ops::{Deref, DerefMut};

use std::task::Waker;

use crate::wait::queue::{Service, Wait, WaitQueue};

/// Gives access to the value inside to one writer, or to any number of readers.
///
/// asyncio has none; it is `std::sync::RwLock` with waits. It is fair: waiters, readers and writers
/// alike, are served in order, so a reader that comes while a writer waits queues behind it. A task
/// that holds a read guard and asks for another may therefore wait for itself, for ever. So does
/// one that asks to write.
///
/// ```
/// use coro::sync::RwLock;
///
/// coro::run(async {
///     let routes = RwLock::new(vec!["/"]);
///     {
///         let (one, other) = (routes.read().await, routes.read().await);
///         assert_eq!((one.len(), other.len()), (1, 1));
///         assert!(routes.try_write().is_none());
///     }
///     routes.write().await.push("/about");
///     assert_eq!(routes.into_inner(), ["/", "/about"]);
/// });
/// ```
pub struct RwLock<T> {
    state: Cell<AccessState>,
    /// The address in the waker that got the lock last, to name the holder in a dump. It is compared only.
    holder: Cell<usize>,
    waiters: WaitQueue<Access>,
    value: RefCell<T>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AccessState {
    Readers(usize),
    Writer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl AccessState {
    #[inline]
    fn with(self, access: Access) -> Option<AccessState> {
        match (self, access) {
            (AccessState::Readers(n), Access::Read) => Some(AccessState::Readers(n + 1)),
            (AccessState::Readers(0), Access::Write) => Some(AccessState::Writer),
            _ => None,
        }
    }

    #[inline]
    fn without(self, access: Access) -> AccessState {
        match (self, access) {
            (AccessState::Readers(n), Access::Read) => AccessState::Readers(n - 1),
            _ => AccessState::Readers(0),
        }
    }
}

impl<T> RwLock<T> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Self {
        RwLock {
            state: Cell::new(AccessState::Readers(0)),
            holder: Cell::new(0),
            waiters: WaitQueue::new(),
            value: RefCell::new(value),
        }
    }

    /// Waits until the value can be read. If there is neither a writer nor a waiter, this does not
    /// suspend.
    ///
    /// Dropping the wait gives up its place in line, and loses nothing else.
    pub async fn read(&self) -> ReadGuard<'_, T> {
        Wait::new(self, Access::Read).await;
        self.read_guard()
    }

    /// Waits until the value can be written. If the lock is free, this does not suspend.
    ///
    /// Dropping the wait gives up its place in line, and loses nothing else.
    pub async fn write(&self) -> WriteGuard<'_, T> {
        Wait::new(self, Access::Write).await;
        self.write_guard()
    }

    /// Access to read the value, if there is neither a writer nor a waiter.
    pub fn try_read(&self) -> Option<ReadGuard<'_, T>> {
        self.enter(Access::Read).then(|| self.read_guard())
    }

    /// Access to write the value, if the lock is free and there is no waiter.
    pub fn try_write(&self) -> Option<WriteGuard<'_, T>> {
        self.enter(Access::Write).then(|| self.write_guard())
    }

    /// The value; `&mut self` shows that the lock is not held.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Consumes the lock and gives its value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    fn read_guard(&self) -> ReadGuard<'_, T> {
        ReadGuard {
            value: self.value.borrow(),
            _lock: ReleaseAccess(self, Access::Read),
        }
    }

    fn write_guard(&self) -> WriteGuard<'_, T> {
        WriteGuard {
            value: self.value.borrow_mut(),
            _lock: ReleaseAccess(self, Access::Write),
        }
    }

    fn enter(&self, access: Access) -> bool {
        self.waiters.is_empty() && self.begin(access)
    }

    fn begin(&self, access: Access) -> bool {
        let with = self.state.get().with(access);
        with.inspect(|&state| self.state.set(state)).is_some()
    }

    fn end(&self, access: Access) {
        self.state.set(self.state.get().without(access));
        self.holder.set(0); // other readers may be left, of which none is known
        self.hand_out();
    }

    fn hand_out(&self) {
        self.waiters.serve_while(|access| self.begin(*access));
    }
}

impl<T> Service for RwLock<T> {
    type Request = Access;

    fn queue(&self) -> &WaitQueue<Access> {
        &self.waiters
    }

    fn would_serve(&self, access: &Access) -> bool {
        self.waiters.is_empty() && self.state.get().with(*access).is_some()
    }

    fn try_serve(&self, access: &mut Access) -> bool {
        self.enter(*access)
    }

    fn abandoned(&self, access: Access, served: bool) {
        match served {
            true => self.end(access),
            false => self.hand_out(), // a writer that has gone no longer keeps readers waiting
        }
    }

    #[inline(always)]
    fn granted(&self, to: &Waker) {
        self.holder.set(to.data().addr());
    }

    fn holder(&self) -> usize {
        self.holder.get()
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RwLock");
        match self.value.try_borrow() {
            Ok(value) => debug.field("value", &*value),
            Err(_) => debug.field("value", &format_args!("<being written>")),
        };
        debug.field("waiting", &self.waiters.len()).finish()
    }
}

struct ReleaseAccess<'a, T>(&'a RwLock<T>, Access);

impl<T> Drop for ReleaseAccess<'_, T> {
    fn drop(&mut self) {
        self.0.end(self.1);
    }
}

/// Access to the value of an [`RwLock`] for reading, shared with other readers.
#[must_use = "a guard that is not kept releases the lock at once"]
pub struct ReadGuard<'a, T> {
    // The order counts: the borrow of the value ends before the lock is released.
    value: Ref<'a, T>,
    _lock: ReleaseAccess<'a, T>,
}

impl<T> Deref for ReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for ReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Exclusive access to the value of an [`RwLock`], for reading and writing.
#[must_use = "a guard that is not kept releases the lock at once"]
pub struct WriteGuard<'a, T> {
    // The order counts, as in [`ReadGuard`].
    value: RefMut<'a, T>,
    _lock: ReleaseAccess<'a, T>,
}

impl<T> Deref for WriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for WriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
