//! What is known of a registered descriptor.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::task::Waker;

use super::LoopHandle;
use crate::sys::Readiness;

/// A registered descriptor: for each direction, whether it may be ready, and who waits.
pub(super) struct Source {
    pub(super) token: mio::Token,
    read: Side,
    write: Side,
    last_wait: Cell<u64>,
    waiters: Rc<Cell<usize>>,
}

/// The side of a descriptor that an operation needs.
///
/// Public as `net::Interest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Reading, receiving or accepting.
    Read,
    /// Writing, sending or connecting.
    Write,
}

/// Names one of the waiters at a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaitId(u64);

impl WaitId {
    /// A waiter that polls by a trait without a place for a name. Its waker stands for it.
    pub(crate) const UNNAMED: WaitId = WaitId(0);
}

/// Waiters without a name are looked over when there are more of them than this.
const CROWD_MIN: u32 = 16;

/// No number of waiters is too large: the ones that were woken are coming back.
const SETTLING: u32 = u32::MAX;

/// One direction of a descriptor.
#[derive(Default)]
pub(super) struct Side {
    /// No operation has said "would block" since the last event.
    ready: Cell<bool>,
    /// The end has come, it seems: it stays ready, until an operation says that it is not.
    closed: Cell<bool>,
    /// First come, first woken; all of them, as there may be enough for all.
    first: RefCell<Option<Waiter>>,
    /// The waiters that came while there was a first: nearly always none.
    more: RefCell<Vec<Waiter>>,
    /// Waiters without a name are weeded out when there are more of them than this.
    crowd_max: Cell<u32>,
}

struct Waiter {
    wait: WaitId,
    waker: Waker,
}

impl Source {
    pub(super) fn new(token: mio::Token, waiters: Rc<Cell<usize>>) -> Self {
        Source {
            token,
            read: Side::ready(),
            write: Side::ready(),
            last_wait: Cell::new(0),
            waiters,
        }
    }

    pub(super) fn name_wait(&self) -> WaitId {
        self.last_wait.set(self.last_wait.get() + 1);
        WaitId(self.last_wait.get())
    }

    #[inline]
    pub(super) fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        }
    }

    /// Notes an event, and hands those who waited for it to `wake`.
    #[inline]
    pub(super) fn take_event(&self, event: Readiness, wake: &impl Fn(Waker)) {
        if event.read {
            self.read.become_ready(event.read_closed);
            self.read.take_waiters(&self.waiters, wake);
        }
        if event.write {
            self.write.become_ready(event.write_closed);
            self.write.take_waiters(&self.waiters, wake);
        }
    }

    /// Drops the wakers of all who wait.
    pub(super) fn forget_all(&self) {
        self.read.take_waiters(&self.waiters, drop);
        self.write.take_waiters(&self.waiters, drop);
    }

    /// Notes a waiter, in the place of the one with the same name or, without a name, with the same
    /// waker.
    #[inline]
    pub(super) fn set_waker(self: &Rc<Self>, direction: Direction, wait: WaitId, waker: &Waker) {
        let side = self.side(direction);
        if side.has_waker(wait, waker) {
            return;
        }
        let waker = waker.clone();
        if wait != WaitId::UNNAMED {
            let before = self.remove(direction, |waiter| waiter.wait == wait);
            self.add(side, wait, waker);
            return drop(before);
        }
        if side.is_crowded() {
            self.weed(direction);
        }
        self.add(side, wait, waker);
    }

    fn add(&self, side: &Side, wait: WaitId, waker: Waker) {
        self.waiters.set(self.waiters.get() + 1);
        side.push_waiter(Waiter { wait, waker });
    }

    #[inline]
    fn remove(&self, direction: Direction, which: impl Fn(&Waiter) -> bool) -> Option<Waiter> {
        let waiter = self.side(direction).take_waiter(which)?;
        self.waiters.set(self.waiters.get() - 1);
        Some(waiter)
    }

    /// Drops the waker of one who waits no more.
    pub(super) fn forget(&self, direction: Direction, wait: WaitId) {
        let waiter = self.remove(direction, |waiter| waiter.wait == wait);
        drop(waiter);
    }

    /// Drops the waker of one who has just begun to wait.
    pub(super) fn forget_waker(&self, direction: Direction, wait: WaitId, waker: &Waker) {
        let waiter = self.remove(direction, |waiter| waiter.is(wait, waker));
        drop(waiter);
    }

    /// Wakes the waiters without a name, to learn which of them are still there.
    ///
    /// Such a waiter cannot say that it gave up, so a side that has no event for a long time would
    /// gather the wakers of more and more waiters that are gone. The ones that still wait come back
    /// when they are polled, before the callout that counts them. Twice their number is allowed
    /// then, so that waiters that stay do not wake one another for ever.
    #[cold]
    fn weed(self: &Rc<Self>, direction: Direction) {
        let Some(current) = LoopHandle::try_current() else {
            return; // such a wait is refused
        };
        self.wake_waiters(direction, |wait| wait == WaitId::UNNAMED);
        self.side(direction).crowd_max.set(SETTLING);
        let this = self.clone();
        current
            .core()
            .scheduler
            .call_soon(Location::caller(), move || {
                let side = this.side(direction);
                let settled = side.crowd().saturating_mul(2).min(SETTLING - 1);
                side.crowd_max.set(settled);
            });
    }

    /// Takes out and wakes the waiters of some names, in order.
    #[cold]
    pub(super) fn wake_waiters(&self, direction: Direction, which: impl Fn(WaitId) -> bool) {
        let next = || self.remove(direction, |waiter| which(waiter.wait));
        let woken: Vec<Waiter> = std::iter::from_fn(next).collect();
        let mut first_panic = None;
        for waiter in woken {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waiter.waker.wake())) {
                first_panic = first_panic.or(Some(panic));
            }
        }
        if let Some(panic) = first_panic {
            resume_unwind(panic);
        }
    }
}

impl Waiter {
    fn is(&self, wait: WaitId, waker: &Waker) -> bool {
        self.wait == wait && self.waker.will_wake(waker)
    }
}

impl Side {
    /// A new descriptor counts as ready, so that the first operation is tried at once.
    fn ready() -> Self {
        Side {
            ready: Cell::new(true),
            ..Side::default()
        }
    }

    #[inline]
    pub(super) fn is_ready(&self) -> bool {
        self.ready.get()
    }

    /// Whether the end has come, as far as events tell.
    #[cfg(unix)]
    pub(super) fn has_ended(&self) -> bool {
        self.closed.get()
    }

    /// An operation took all there was: but for the end, if that has come.
    #[inline]
    pub(super) fn clear(&self) {
        self.ready.set(self.closed.get());
    }

    /// An operation would have blocked: so whatever has been said to be the end was none, as an
    /// error of one datagram's is not, nor the last writer of a named pipe before the next.
    pub(super) fn block(&self) {
        self.ready.set(false);
        self.closed.set(false);
    }

    fn become_ready(&self, closed: bool) {
        self.ready.set(true);
        self.closed.set(self.closed.get() || closed);
    }

    /// Hands those who wait now to `with`, which may be foreign code, and may come back here.
    #[inline]
    fn take_waiters(&self, waiters: &Cell<usize>, with: impl Fn(Waker)) {
        let later = self.more.borrow().len();
        for _ in 0..=later {
            let Some(waiter) = self.take_waiter(|_| true) else {
                return;
            };
            waiters.set(waiters.get() - 1);
            with(waiter.waker);
        }
    }

    #[cfg(unix)]
    pub(super) fn has_waiter(&self) -> bool {
        self.first.borrow().is_some() || !self.more.borrow().is_empty()
    }

    fn has_waker(&self, wait: WaitId, waker: &Waker) -> bool {
        let is_it = |waiter: &Waiter| waiter.is(wait, waker);
        self.first.borrow().as_ref().is_some_and(is_it) || self.more.borrow().iter().any(is_it)
    }

    #[inline]
    fn is_crowded(&self) -> bool {
        self.more.borrow().len() > CROWD_MIN as usize
            && self.crowd() > self.crowd_max.get().max(CROWD_MIN)
    }

    /// The number of waiters without a name, but for the first of all.
    fn crowd(&self) -> u32 {
        let more = self.more.borrow();
        let unnamed = |waiter: &&Waiter| waiter.wait == WaitId::UNNAMED;
        u32::try_from(more.iter().filter(unnamed).count()).unwrap_or(SETTLING)
    }

    #[inline]
    fn take_waiter(&self, which: impl Fn(&Waiter) -> bool) -> Option<Waiter> {
        let first = self.first.borrow_mut().take_if(|first| which(first));
        first.or_else(|| {
            let mut more = self.more.borrow_mut();
            let at = more.iter().position(which)?;
            Some(more.remove(at))
        })
    }

    fn push_waiter(&self, waiter: Waiter) {
        let mut first = self.first.borrow_mut();
        let mut more = self.more.borrow_mut();
        if first.is_none() && more.is_empty() {
            *first = Some(waiter);
        } else {
            more.push(waiter);
        }
    }
}
