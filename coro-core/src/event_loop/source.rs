//! A `Source`: a registered descriptor with its readiness and its waiters.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::task::Waker;

use super::LoopHandle;
use crate::sys::Readiness;

/// A registered descriptor: for each direction, whether it may be ready, and the waiters.
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

/// The id of a waiter at a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaitId(u64);

impl WaitId {
    /// The id of all waiters that poll by a trait, which cannot store one. Their wakers tell them
    /// apart.
    pub(crate) const UNNAMED: WaitId = WaitId(0);
}

/// Waiters without an id are weeded out only if there are more of them than this.
const CROWD_MIN: u32 = 16;

/// The limit while the waiters that were woken come back: none.
const SETTLING: u32 = u32::MAX;

/// One direction of a descriptor.
#[derive(Default)]
pub(super) struct Side {
    /// No operation has failed with "would block" since the last event.
    ready: Cell<bool>,
    /// An event has reported the end: the direction stays ready until an operation would block.
    closed: Cell<bool>,
    /// The first to come is the first to be woken. All are woken, as there may be enough for all.
    first: RefCell<Option<Waiter>>,
    /// The waiters that came while there was a first: nearly always none.
    more: RefCell<Vec<Waiter>>,
    /// Waiters without an id are weeded out when there are more of them than this.
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

    /// Notes an event, and passes the wakers of its waiters to `wake`.
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

    /// Drops the wakers of all waiters.
    pub(super) fn forget_all(&self) {
        self.read.take_waiters(&self.waiters, drop);
        self.write.take_waiters(&self.waiters, drop);
    }

    /// Registers a waiter. It replaces an earlier registration with the same id or, without an id,
    /// with the same waker.
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

    /// Drops the waker of a waiter that gives up.
    pub(super) fn forget(&self, direction: Direction, wait: WaitId) {
        let waiter = self.remove(direction, |waiter| waiter.wait == wait);
        drop(waiter);
    }

    /// Drops the waker of a waiter that was registered in this poll.
    pub(super) fn forget_waker(&self, direction: Direction, wait: WaitId, waker: &Waker) {
        let waiter = self.remove(direction, |waiter| waiter.is(wait, waker));
        drop(waiter);
    }

    /// Wakes the waiters without an id, to learn which of them still wait.
    ///
    /// Such a waiter cannot say that it gave up. A side without events for a long time would gather
    /// more and more wakers of waiters that are gone. The waiters that still wait register again
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

    /// Takes out and wakes the waiters with some ids, in order.
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

    /// Whether an event has reported the end.
    #[cfg(unix)]
    pub(super) fn has_ended(&self) -> bool {
        self.closed.get()
    }

    /// An operation took everything; only the end may be left.
    #[inline]
    pub(super) fn clear(&self) {
        self.ready.set(self.closed.get());
    }

    /// An operation would have blocked, so the end that an event has reported was none. An error of
    /// one datagram is no end, nor is the last writer of a named pipe before the next comes.
    pub(super) fn block(&self) {
        self.ready.set(false);
        self.closed.set(false);
    }

    fn become_ready(&self, closed: bool) {
        self.ready.set(true);
        self.closed.set(self.closed.get() || closed);
    }

    /// Passes the wakers of the present waiters to `with`, which may be foreign code, and may
    /// register waiters.
    #[inline]
    fn take_waiters(&self, waiters: &Cell<usize>, with: impl Fn(Waker)) {
        if !self.more.borrow().is_empty() {
            return self.take_crowd(waiters, with);
        }
        let only = self.first.borrow_mut().take(); // ended before foreign code runs
        if let Some(only) = only {
            waiters.set(waiters.get() - 1);
            with(only.waker);
        }
    }

    #[cold]
    fn take_crowd(&self, waiters: &Cell<usize>, with: impl Fn(Waker)) {
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

    /// The number of waiters without an id, except the first of all waiters.
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
