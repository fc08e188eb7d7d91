//! What is known of a registered descriptor.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

#[cfg(unix)]
use super::watch::Watched;
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

/// Names one of those who wait at a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait(u64);

impl Wait {
    /// Whoever polled last by a trait that has no place for a name of their own.
    pub(crate) const UNNAMED: Wait = Wait(0);
}

/// One direction of a descriptor.
#[derive(Default)]
pub(super) struct Side {
    /// No operation has said "would block" since the last event.
    ready: Cell<bool>,
    /// The end has come, it seems: it stays ready, until an operation says that it is not.
    closed: Cell<bool>,
    /// First come, first woken; all of them, as there may be enough for all.
    first: RefCell<Option<Waiter>>,
    /// Those who came while there was a first: nearly always nobody.
    more: RefCell<Vec<Waiter>>,
}

struct Waiter {
    wait: Wait,
    wake: Wake,
}

/// Who is told of an event.
pub(super) enum Wake {
    Waker(Waker),
    #[cfg(unix)]
    Callback(Rc<Watched>, Direction),
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

    pub(super) fn name_wait(&self) -> Wait {
        self.last_wait.set(self.last_wait.get() + 1);
        Wait(self.last_wait.get())
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
    pub(super) fn take_event(&self, event: Readiness, wake: &impl Fn(Wake)) {
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

    /// Puts one who waits in the place of the one with the same name, if there is one.
    #[inline]
    pub(super) fn set_waker(&self, direction: Direction, wait: Wait, waker: &Waker) {
        if !self.side(direction).has_waker(wait, waker) {
            self.set_wake(direction, wait, Wake::Waker(waker.clone()));
        }
    }

    #[inline]
    pub(super) fn set_wake(&self, direction: Direction, wait: Wait, wake: Wake) {
        let side = self.side(direction);
        let before = side.take_waiter(|of| of == wait);
        if before.is_none() {
            self.waiters.set(self.waiters.get() + 1);
        }
        side.push_waiter(Waiter { wait, wake });
        drop(before);
    }

    /// Drops the waker of one who waits no more.
    pub(super) fn forget(&self, direction: Direction, wait: Wait) {
        let waiter = self.side(direction).take_waiter(|of| of == wait);
        if waiter.is_some() {
            self.waiters.set(self.waiters.get() - 1);
        }
        drop(waiter);
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
    fn take_waiters(&self, waiters: &Cell<usize>, with: impl Fn(Wake)) {
        let later = self.more.borrow().len();
        for _ in 0..=later {
            let Some(waiter) = self.take_waiter(|_| true) else {
                return;
            };
            waiters.set(waiters.get() - 1);
            with(waiter.wake);
        }
    }

    fn has_waker(&self, wait: Wait, waker: &Waker) -> bool {
        let is_it = |waiter: &Waiter| {
            waiter.wait == wait && matches!(&waiter.wake, Wake::Waker(set) if set.will_wake(waker))
        };
        self.first.borrow().as_ref().is_some_and(is_it) || self.more.borrow().iter().any(is_it)
    }

    #[inline]
    fn take_waiter(&self, which: impl Fn(Wait) -> bool) -> Option<Waiter> {
        let first = self.first.borrow_mut().take_if(|first| which(first.wait));
        first.or_else(|| {
            let mut more = self.more.borrow_mut();
            let at = more.iter().position(|waiter| which(waiter.wait))?;
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
