//! The `Reactor`: the registered descriptors of a loop with their waiters.

use std::cell::{Cell, RefCell};
use std::io;
#[cfg(unix)]
use std::os::fd::{AsRawFd, BorrowedFd};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use slab::Slab;

use super::source::{Direction, Source, WaitId};
use crate::sys::{self, Described, Home, Poller, WAKE_TOKEN};

/// Half of a token's bits are an index, the other half a generation.
const INDEX_BITS: u32 = usize::BITS / 2;
const INDEX_MASK: usize = !(!0 << INDEX_BITS);

const BOTH: mio::Interest = mio::Interest::READABLE.add(mio::Interest::WRITABLE);

/// Of this number of waits, one compares the process with the loop's own.
const WAITS_PER_CHECK: u32 = 64;

pub(super) struct Reactor {
    /// A fork copies descriptors, but the kernel's list of them is one for both processes.
    home: Home,
    /// Waits until the process is compared again.
    unchecked_waits: Cell<u32>,
    poller: RefCell<Poller>,
    registry: mio::Registry,
    sources: RefCell<Slab<Rc<Source>>>,
    generation: Cell<usize>,
    waiters: Rc<Cell<usize>>,
    has_events: Cell<bool>,
}

/// A descriptor's place in a reactor.
pub(crate) struct Registration {
    source: Rc<Source>,
}

impl Reactor {
    pub(super) fn new(poller: Poller) -> io::Result<Self> {
        Ok(Reactor {
            home: Home::new(),
            unchecked_waits: Cell::new(0),
            registry: poller.registry().try_clone()?,
            poller: RefCell::new(poller),
            sources: RefCell::default(),
            generation: Cell::new(0),
            waiters: Rc::default(),
            has_events: Cell::new(false),
        })
    }

    /// Registers a descriptor for both directions, for as long as it is open.
    pub(super) fn register(&self, io: &mut dyn mio::event::Source) -> io::Result<Registration> {
        let generation = self.generation.get().wrapping_add(1);
        self.generation.set(generation);
        let mut sources = self.sources.borrow_mut();
        let place = sources.vacant_entry();
        if place.key() > INDEX_MASK {
            return Err(io::Error::other("too many descriptors for one event loop"));
        }
        let token = mio::Token(generation << INDEX_BITS | place.key());
        let registered = self.registry.register(io, token, BOTH);
        registered.map_err(sys::explain_register)?;
        let source = Rc::new(Source::new(token, self.waiters.clone()));
        place.insert(source.clone());
        Ok(Registration { source })
    }

    /// Has a poller that only imitates edges look at a descriptor again.
    #[cold]
    pub(super) fn rearm(&self, io: &impl Described, of: &Registration) {
        io.rearm(&self.registry, of.source.token, BOTH);
    }

    /// Has the next wait bring an event for each direction that has a waiter and is ready by then,
    /// though it may have been ready before.
    #[cfg(unix)]
    pub(super) fn register_again(
        &self,
        io: &mut dyn mio::event::Source,
        of: &Registration,
    ) -> io::Result<()> {
        let has_waiter = |direction| of.source.side(direction).has_waiter();
        let interest = match (has_waiter(Direction::Read), has_waiter(Direction::Write)) {
            (true, false) => mio::Interest::READABLE,
            (false, true) => mio::Interest::WRITABLE,
            _ => BOTH,
        };
        self.registry.reregister(io, of.source.token, interest)
    }

    /// Forgets a descriptor that is about to be closed.
    pub(super) fn deregister(&self, io: &mut dyn mio::event::Source, of: &Registration) {
        // A forked process that drops its copy would take the descriptor out of its parent's loop.
        if self.is_at_home() {
            // It can fail only for a descriptor that the kernel has forgotten already.
            let _ = self.registry.deregister(io);
        }
        self.forget(of);
    }

    /// Forgets a descriptor that was closed already.
    pub(super) fn forget(&self, of: &Registration) {
        let source = self
            .sources
            .borrow_mut()
            .try_remove(of.source.token.0 & INDEX_MASK);
        if let Some(source) = source {
            source.forget_all();
        }
    }

    /// Registers a descriptor that wakes the poller but no task.
    #[cfg(unix)]
    pub(super) fn wake_by(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        let mut source = mio::unix::SourceFd(&fd);
        self.registry
            .register(&mut source, WAKE_TOKEN, mio::Interest::READABLE)
    }

    /// Has a poller that only imitates edges look again at a descriptor of
    /// [`wake_by`](Self::wake_by), whose bytes were read.
    #[cfg(unix)]
    pub(super) fn wake_again_by(&self, fd: BorrowedFd<'_>) {
        if !sys::IS_EDGE_TRIGGERED {
            fd.rearm(&self.registry, WAKE_TOKEN, mio::Interest::READABLE);
        }
    }

    pub(super) fn has_sources(&self) -> bool {
        !self.sources.borrow().is_empty()
    }

    /// Whether any task waits for a descriptor.
    pub(super) fn is_waited_for(&self) -> bool {
        self.waiters.get() != 0
    }

    /// Whether this is the process that the loop was made in.
    pub(super) fn is_at_home(&self) -> bool {
        self.home.is_here()
    }

    /// # Panics
    ///
    /// In a process that was forked from the loop's own, whose events it would take away.
    #[track_caller]
    pub(super) fn assert_at_home(&self) {
        self.home.assert_here();
    }

    /// Compares the process once in a number of waits: asking for it is a system call, which would
    /// cost each message over a socket a twentieth of its time.
    #[inline]
    pub(super) fn check_home(&self) {
        match self.unchecked_waits.get() {
            0 => {
                self.unchecked_waits.set(WAITS_PER_CHECK);
                self.assert_at_home();
            }
            left => self.unchecked_waits.set(left - 1),
        }
    }

    /// Waits for events, for at most `timeout`; gives whether there are any.
    #[inline(always)]
    pub(super) fn wait(&self, timeout: Option<Duration>) -> bool {
        if timeout != Some(Duration::ZERO) {
            self.check_home();
        }
        let waited = self.poller.borrow_mut().wait(timeout);
        let any = waited.unwrap_or_else(|error| {
            panic!("the operating system's poller failed, so the loop cannot go on: {error}")
        });
        self.has_events.set(any);
        any
    }

    /// Ends the waits of a run.
    pub(super) fn end_waits(&self) {
        if let Ok(mut poller) = self.poller.try_borrow_mut() {
            poller.end_waits();
        }
    }

    /// Calls `wake` with the wakers of those that wait for a simulated event.
    pub(super) fn dispatch_one(
        &self,
        token: usize,
        readiness: sys::Readiness,
        wake: impl Fn(Waker),
    ) {
        let source = self.sources.borrow().get(token & INDEX_MASK).cloned();
        if let Some(source) = source.filter(|source| source.token.0 == token) {
            source.take_event(readiness, &wake);
        }
    }

    /// Calls `wake` with the waker of each waiter for which the last wait has brought an event.
    pub(super) fn dispatch(&self, wake: impl Fn(Waker)) {
        if !self.has_events.take() {
            return;
        }
        let poller = self.poller.borrow();
        for (token, readiness) in poller.events() {
            if token == WAKE_TOKEN {
                continue;
            }
            // The source of a late event is gone; another may have its index, in another
            // generation.
            let source = self.sources.borrow().get(token.0 & INDEX_MASK).cloned();
            if let Some(source) = source.filter(|source| source.token == token) {
                source.take_event(readiness, &wake);
            }
        }
    }
}

impl Registration {
    /// An id for one more waiter.
    pub(crate) fn name_wait(&self) -> WaitId {
        self.source.name_wait()
    }

    /// Ready once the direction may be ready, until [`block`](Self::block) or
    /// [`clear`](Self::clear) says that it is not.
    #[inline]
    pub(crate) fn poll_ready(
        &self,
        direction: Direction,
        wait: WaitId,
        cx: &Context<'_>,
    ) -> Poll<()> {
        if self.source.side(direction).is_ready() {
            return Poll::Ready(());
        }
        self.source.set_waker(direction, wait, cx.waker());
        Poll::Pending
    }

    /// Whether the direction may be ready.
    pub(crate) fn is_ready(&self, direction: Direction) -> bool {
        self.source.side(direction).is_ready()
    }

    /// Whether an event has reported the end of the direction.
    #[cfg(unix)]
    pub(crate) fn has_ended(&self, direction: Direction) -> bool {
        self.source.side(direction).has_ended()
    }

    /// The direction is not ready: an operation would have blocked.
    #[inline]
    pub(crate) fn block(&self, direction: Direction) {
        self.source.side(direction).block();
    }

    /// The direction is not ready, unless its end has come: an operation took everything.
    #[inline]
    pub(crate) fn clear(&self, direction: Direction) {
        self.source.side(direction).clear();
    }

    /// A waiter of the direction has given up.
    pub(crate) fn forget(&self, direction: Direction, wait: WaitId) {
        self.source.forget(direction, wait);
    }

    /// A waiter that was registered in this poll gives up.
    pub(crate) fn forget_waker(&self, direction: Direction, wait: WaitId, cx: &Context<'_>) {
        self.source.forget_waker(direction, wait, cx.waker());
    }

    /// Wakes the tasks that wait for the direction, as at an event.
    #[cfg(unix)]
    pub(crate) fn wake_all(&self, direction: Direction) {
        self.source.wake_waiters(direction, |_| true);
    }
}
