//! Descriptors: who waits for which, and what is known of each.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use slab::Slab;

use crate::sys::{Poller, Readiness, WAKE_TOKEN};

/// Half of a token's bits name the place, the other half its generation.
const HALF: u32 = usize::BITS / 2;

pub(super) struct Reactor {
    poller: RefCell<Poller>,
    registry: mio::Registry,
    sources: RefCell<Slab<Rc<Source>>>,
    generation: Cell<usize>,
    waiters: Rc<Cell<usize>>,
    has_events: Cell<bool>,
}

/// What is known of a registered descriptor.
struct Source {
    token: mio::Token,
    read: Side,
    write: Side,
    last_wait: Cell<u64>,
    waiters: Rc<Cell<usize>>,
}

/// One direction of a descriptor.
#[derive(Default)]
struct Side {
    /// No operation has said "would block" since the last event.
    ready: Cell<bool>,
    /// It will be ready for ever: the end has come.
    closed: Cell<bool>,
    /// First come, first woken; all of them, as there may be enough for all.
    waiting: RefCell<Vec<(Wait, Waker)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// Names one of those who wait at a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait(u64);

impl Wait {
    /// Whoever polled last by a trait that has no place for a name of their own.
    pub(crate) const UNNAMED: Wait = Wait(0);
}

/// A descriptor's place in a reactor.
pub(crate) struct Registration {
    source: Rc<Source>,
}

impl Reactor {
    pub(super) fn new(poller: Poller) -> io::Result<Self> {
        Ok(Reactor {
            registry: poller.registry().try_clone()?,
            poller: RefCell::new(poller),
            sources: RefCell::default(),
            generation: Cell::new(0),
            waiters: Rc::default(),
            has_events: Cell::new(false),
        })
    }

    /// Registers a descriptor for both directions, once and for as long as it is open.
    pub(super) fn register(&self, io: &mut dyn mio::event::Source) -> io::Result<Registration> {
        let generation = self.generation.get().wrapping_add(1);
        self.generation.set(generation);
        let mut sources = self.sources.borrow_mut();
        let place = sources.vacant_entry();
        let token = mio::Token(generation << HALF | place.key());
        self.registry
            .register(io, token, mio::Interest::READABLE | mio::Interest::WRITABLE)?;
        let source = Rc::new(Source {
            token,
            read: Side::ready(),
            write: Side::ready(),
            last_wait: Cell::new(0),
            waiters: self.waiters.clone(),
        });
        place.insert(source.clone());
        Ok(Registration { source })
    }

    /// Forgets a descriptor that is about to be closed.
    pub(super) fn deregister(&self, io: &mut dyn mio::event::Source, of: &Registration) {
        // It can fail only for a descriptor that the kernel has forgotten already.
        let _ = self.registry.deregister(io);
        let source = self.sources.borrow_mut().try_remove(of.source.place());
        if let Some(source) = source {
            source.read.take_waiters(&source.waiters, drop);
            source.write.take_waiters(&source.waiters, drop);
        }
    }

    pub(super) fn has_sources(&self) -> bool {
        !self.sources.borrow().is_empty()
    }

    /// Whether any task waits for a descriptor.
    pub(super) fn is_waited_for(&self) -> bool {
        self.waiters.get() != 0
    }

    /// Waits for events, or looks whether there are any; gives whether there are.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> bool {
        let waited = self.poller.borrow_mut().wait(timeout);
        let any = waited.unwrap_or_else(|error| {
            panic!("the operating system's poller failed, so the loop cannot go on: {error}")
        });
        self.has_events.set(any);
        any
    }

    /// Calls `wake` with those for whom the last wait has brought events.
    pub(super) fn dispatch(&self, wake: impl Fn(Waker)) {
        if !self.has_events.take() {
            return;
        }
        let poller = self.poller.borrow();
        for (token, readiness) in poller.events() {
            if token == WAKE_TOKEN {
                continue;
            }
            // An event for a place that is empty or taken anew by now is a late one: ignore it.
            let source = self.sources.borrow().get(token.0 & !(!0 << HALF)).cloned();
            if let Some(source) = source.filter(|source| source.token == token) {
                source.take_event(readiness, &wake);
            }
        }
    }
}

impl Source {
    fn place(&self) -> usize {
        self.token.0 & !(!0 << HALF)
    }

    fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        }
    }

    fn take_event(&self, event: Readiness, wake: &impl Fn(Waker)) {
        if event.read {
            self.read.become_ready(event.read_closed);
            self.read.take_waiters(&self.waiters, wake);
        }
        if event.write {
            self.write.become_ready(event.write_closed);
            self.write.take_waiters(&self.waiters, wake);
        }
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

    fn become_ready(&self, closed: bool) {
        self.ready.set(true);
        self.closed.set(self.closed.get() || closed);
    }

    /// Hands those who wait now to `with`, which may be foreign code.
    fn take_waiters(&self, waiters: &Cell<usize>, with: impl Fn(Waker)) {
        let waiting = self.waiting.borrow().len();
        for _ in 0..waiting {
            if let Some(waiter) = self.take_waiter(waiters, |_| true) {
                with(waiter);
            }
        }
    }

    fn take_waiter(&self, waiters: &Cell<usize>, which: impl Fn(Wait) -> bool) -> Option<Waker> {
        let mut waiting = self.waiting.borrow_mut();
        let at = waiting.iter().position(|&(wait, _)| which(wait))?;
        waiters.set(waiters.get() - 1);
        Some(waiting.remove(at).1)
    }

    fn set_waiter(&self, wait: Wait, waker: &Waker, waiters: &Cell<usize>) {
        let is_set = |(of, waiter): &(Wait, Waker)| *of == wait && waiter.will_wake(waker);
        if self.waiting.borrow().iter().any(is_set) {
            return;
        }
        let waker = waker.clone();
        let before = self.take_waiter(waiters, |of| of == wait);
        self.waiting.borrow_mut().push((wait, waker));
        waiters.set(waiters.get() + 1);
        drop(before);
    }
}

impl Registration {
    /// A name for one more who waits.
    pub(crate) fn name_wait(&self) -> Wait {
        let last = &self.source.last_wait;
        last.set(last.get() + 1);
        Wait(last.get())
    }

    /// Ready once the direction may be, until [`clear`](Self::clear) says that it is not.
    pub(crate) fn poll_ready(
        &self,
        direction: Direction,
        wait: Wait,
        cx: &Context<'_>,
    ) -> Poll<()> {
        let side = self.source.side(direction);
        if side.ready.get() {
            return Poll::Ready(());
        }
        side.set_waiter(wait, cx.waker(), &self.source.waiters);
        Poll::Pending
    }

    /// The direction is not ready: an operation would have blocked, or took all there was.
    pub(crate) fn clear(&self, direction: Direction) {
        let side = self.source.side(direction);
        side.ready.set(side.closed.get());
    }

    /// One of those who wait for the direction does so no more.
    pub(crate) fn forget(&self, direction: Direction, wait: Wait) {
        let side = self.source.side(direction);
        drop(side.take_waiter(&self.source.waiters, |of| of == wait));
    }
}
