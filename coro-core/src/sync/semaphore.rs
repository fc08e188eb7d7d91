//! A semaphore: a limited number of permits.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::error::Closed;
use crate::wait::queue::{Service, Wait, WaitQueue};

/// Limits how many tasks do something at a time. The counterpart of `asyncio.Semaphore`; and of
/// `BoundedSemaphore`, as a permit that was not given out cannot be given back.
///
/// ```
/// use coro::sync::Semaphore;
///
/// coro::run(async {
///     let connections = Semaphore::new(2);
///     let fetch = async |page: u32| {
///         let _permit = connections.acquire().await?;
///         coro::yield_now().await; // never more than two are here
///         Ok::<_, coro::sync::Closed>(page * 10)
///     };
///     let (a, b, c) = coro::gather((fetch(1), fetch(2), fetch(3))).await;
///     assert_eq!((a, b, c), (Ok(10), Ok(20), Ok(30)));
/// });
/// ```
///
/// Permits are handed over in the order in which tasks asked. A waiter for many permits is not
/// overtaken by waiters for few: they wait behind it.
#[doc(alias = "BoundedSemaphore")]
pub struct Semaphore {
    available: Cell<usize>,
    closed: Cell<bool>,
    waiters: WaitQueue<Wanted>,
}

pub(crate) struct Wanted {
    permits: usize,
    /// The semaphore was closed: the wait ends without permits.
    refused: bool,
}

impl Wanted {
    #[inline]
    fn new(permits: usize) -> Self {
        Wanted {
            permits,
            refused: false,
        }
    }
}

impl Semaphore {
    /// A semaphore with `permits` permits.
    #[inline]
    pub const fn new(permits: usize) -> Self {
        Semaphore {
            available: Cell::new(permits),
            closed: Cell::new(false),
            waiters: WaitQueue::new(),
        }
    }

    /// Waits for a permit. If one is available, and no other task waits, this does not suspend.
    ///
    /// Dropping the wait gives up its place in line, and loses nothing else.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the semaphore is closed now, or while this waits.
    #[inline]
    pub fn acquire(&self) -> AcquireFuture<'_> {
        self.acquire_many(1)
    }

    /// Waits for `n` permits at once: for ever, if the semaphore never has `n`.
    ///
    /// Dropping the wait gives up its place in line, and loses nothing else.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the semaphore is closed now, or while this waits.
    #[inline]
    pub fn acquire_many(&self, n: usize) -> AcquireFuture<'_> {
        AcquireFuture(Wait::new(self, Wanted::new(n)))
    }

    /// A permit, if one is available, no task waits, and the semaphore is open.
    #[inline]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.try_acquire_many(1)
    }

    /// `n` permits, if they are available, no task waits, and the semaphore is open.
    #[inline]
    pub fn try_acquire_many(&self, n: usize) -> Option<Permit<'_>> {
        self.take(n).then(|| Permit::new(self, n))
    }

    /// As [`acquire_many`](Self::acquire_many), with permits that keep the semaphore alive instead
    /// of borrowing it.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the semaphore is closed now, or while this waits.
    #[inline]
    pub async fn acquire_owned(self: Rc<Self>, n: usize) -> Result<OwnedPermit, Closed> {
        self.acquire_many(n).await?.forget();
        Ok(OwnedPermit {
            semaphore: self,
            permits: n,
        })
    }

    /// As [`try_acquire_many`](Self::try_acquire_many), with permits that keep the semaphore alive.
    ///
    /// # Errors
    ///
    /// The reference itself, if the permits are not available at once.
    #[inline]
    pub fn try_acquire_owned(self: Rc<Self>, n: usize) -> Result<OwnedPermit, Rc<Self>> {
        match self.take(n) {
            true => Ok(OwnedPermit {
                semaphore: self,
                permits: n,
            }),
            false => Err(self),
        }
    }

    /// Adds `n` permits.
    ///
    /// # Panics
    ///
    /// If there were more permits than a `usize` counts.
    #[inline]
    pub fn add_permits(&self, n: usize) {
        let available = self.available.get().checked_add(n);
        let available = available.expect("a semaphore has usize::MAX permits at most: add fewer");
        self.available.set(available);
        self.hand_out();
    }

    /// Removes up to `n` of the available permits for good, and gives how many were removed.
    #[inline]
    pub fn forget_permits(&self, n: usize) -> usize {
        let taken = self.available.get().min(n);
        self.available.set(self.available.get() - taken);
        taken
    }

    /// How many permits are available.
    #[inline]
    pub fn available_permits(&self) -> usize {
        self.available.get()
    }

    /// Refuses all present and later waiters. Permits that were given out stay valid.
    #[inline]
    pub fn close(&self) {
        self.closed.set(true);
        self.waiters.serve_while(|wanted| {
            wanted.refused = true;
            true
        });
    }

    /// Whether the semaphore was closed.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    #[inline]
    fn has(&self, n: usize) -> bool {
        self.available.get() >= n && !self.closed.get() && self.waiters.is_empty()
    }

    #[inline]
    fn take(&self, n: usize) -> bool {
        let may = self.has(n);
        if may {
            self.available.set(self.available.get() - n);
        }
        may
    }

    #[inline]
    fn give_back(&self, n: usize) {
        self.available.set(self.available.get().saturating_add(n));
        self.hand_out();
    }

    /// Serves the waiters in order, as far as the permits go.
    #[inline]
    fn hand_out(&self) {
        self.waiters.serve_while(|wanted| {
            let left = self.available.get().checked_sub(wanted.permits);
            left.inspect(|&left| self.available.set(left)).is_some()
        });
    }
}

impl Service for Semaphore {
    type Request = Wanted;

    #[inline]
    fn queue(&self) -> &WaitQueue<Wanted> {
        &self.waiters
    }

    #[inline]
    fn would_serve(&self, wanted: &Wanted) -> bool {
        self.closed.get() || self.has(wanted.permits)
    }

    #[inline]
    fn try_serve(&self, wanted: &mut Wanted) -> bool {
        wanted.refused = self.closed.get();
        wanted.refused || self.take(wanted.permits)
    }

    #[inline]
    fn abandoned(&self, wanted: Wanted, served: bool) {
        match served && !wanted.refused {
            true => self.give_back(wanted.permits),
            false => self.hand_out(), // the next may want less
        }
    }
}

/// The future of [`Semaphore::acquire`] and [`Semaphore::acquire_many`].
#[derive(Debug)]
#[must_use = "permits are waited for by awaiting this"]
pub struct AcquireFuture<'a>(Wait<&'a Semaphore>);

impl<'a> Future for AcquireFuture<'a> {
    type Output = Result<Permit<'a>, Closed>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let wanted = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(match wanted.refused {
            true => Err(Closed),
            false => Ok(Permit::new(self.0.service(), wanted.permits)),
        })
    }
}

impl fmt::Debug for Semaphore {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available.get())
            .field("waiting", &self.waiters.len())
            .field("closed", &self.closed.get())
            .finish()
    }
}

/// Permits of a [`Semaphore`], which are given back when this is dropped.
#[derive(Debug)]
#[must_use = "a permit that is not kept is given back at once"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

impl<'a> Permit<'a> {
    #[inline]
    fn new(semaphore: &'a Semaphore, permits: usize) -> Self {
        Permit { semaphore, permits }
    }

    /// How many permits this holds.
    #[inline]
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// Uses the permits up: they are never given back.
    #[inline]
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Splits `n` of the permits off, as a permit of its own; `None` if there are fewer than `n`.
    #[inline]
    pub fn split(&mut self, n: usize) -> Option<Permit<'a>> {
        self.permits = self.permits.checked_sub(n)?;
        Some(Permit::new(self.semaphore, n))
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.give_back(self.permits);
    }
}

/// As [`Permit`], but it keeps the semaphore alive: [`Semaphore::acquire_owned`].
#[derive(Debug)]
#[must_use = "a permit that is not kept is given back at once"]
pub struct OwnedPermit {
    semaphore: Rc<Semaphore>,
    permits: usize,
}

impl OwnedPermit {
    /// How many permits this holds.
    #[inline]
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// Uses the permits up: they are never given back.
    #[inline]
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Splits `n` of the permits off, as a permit of its own; `None` if there are fewer than `n`.
    #[inline]
    pub fn split(&mut self, n: usize) -> Option<OwnedPermit> {
        self.permits = self.permits.checked_sub(n)?;
        Some(OwnedPermit {
            semaphore: self.semaphore.clone(),
            permits: n,
        })
    }
}

impl Drop for OwnedPermit {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.give_back(mem::take(&mut self.permits));
    }
}
