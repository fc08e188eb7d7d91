//! Waiting until a registered descriptor is ready.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use mio::event::Source;

use crate::event_loop::{Direction, LoopHandle, Registration, WaitId};
use crate::sys::{Described, IS_EDGE_TRIGGERED};
use crate::task::{Step, budget, looking};

/// A descriptor that is registered with the present loop for as long as this lives.
pub(crate) struct RegisteredIo<S: Source + Described> {
    /// `None` only after it was deregistered.
    io: Option<S>,
    registration: Registration,
    of: LoopHandle,
}

impl<S: Source + Described> RegisteredIo<S> {
    /// Registers a descriptor that does not block.
    #[track_caller]
    pub(crate) fn new(io: S) -> io::Result<Self> {
        Self::try_new(io).map_err(|(error, _)| error)
    }

    /// Registers a descriptor, or gives it back if that fails.
    #[track_caller]
    pub(crate) fn try_new(mut io: S) -> Result<Self, (io::Error, S)> {
        let of = LoopHandle::current();
        match of.register(&mut io) {
            Ok(registration) => Ok(RegisteredIo {
                io: Some(io),
                registration,
                of,
            }),
            Err(error) => Err((error, io)),
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> &S {
        self.io.as_ref().expect("taken out only at the end")
    }

    /// Deregisters the descriptor, and gives it.
    pub(crate) fn into_inner(mut self) -> S {
        self.deregister().expect("taken out only at the end")
    }

    fn deregister(&mut self) -> Option<S> {
        let mut io = self.io.take()?;
        self.of.deregister(&mut io, &self.registration);
        Some(io)
    }

    /// Tries `operation` until it does not block, and waits in between under an id.
    #[inline]
    pub(crate) fn poll_io<T>(
        &self,
        direction: Direction,
        wait: WaitId,
        cx: &Context<'_>,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            let Poll::Ready(()) = self.registration.poll_ready(direction, wait, cx) else {
                return self.check_loop(direction, wait, cx);
            };
            if !budget::take() && budget::refuse(cx.waker()) {
                return Poll::Pending;
            }
            match operation(self.get()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    budget::give_back();
                    self.block(direction);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => budget::give_back(),
                other => return Poll::Ready(other),
            }
        }
    }

    /// Refuses to wait inside of another loop, which gets no events of this descriptor.
    #[inline]
    fn check_loop<T>(
        &self,
        direction: Direction,
        wait: WaitId,
        cx: &Context<'_>,
    ) -> Poll<io::Result<T>> {
        if self.of.is_current() {
            if looking::is_looking() {
                self.report(direction);
            }
            return Poll::Pending;
        }
        self.registration.forget_waker(direction, wait, cx);
        Poll::Ready(Err(refused()))
    }

    #[cold]
    fn report(&self, direction: Direction) {
        let io = self.get();
        let peer = io.peer().map(Box::new);
        // Users know the kind of socket, not the wrapper that a simulation needs.
        let name = std::any::type_name::<S>();
        let name = match name.split_once("Sock<") {
            Some((_, kind)) => kind.trim_end_matches('>'),
            None => name,
        };
        report_wait(direction, io.number(), name, peer);
    }

    /// Transfers up to `len` bytes once the descriptor is ready. A transfer of fewer bytes took all
    /// that there were, so the next one waits without being tried, if the poller is edge-triggered.
    ///
    /// Any number of tasks may wait so. A waiter that gives up is forgotten at the direction's next
    /// event.
    #[inline]
    pub(crate) fn poll_transfer(
        &self,
        direction: Direction,
        len: usize,
        cx: &Context<'_>,
        operation: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let moved = self.poll_io(direction, WaitId::UNNAMED, cx, operation);
        if let Poll::Ready(Ok(moved)) = moved {
            self.note_transfer(direction, moved, len);
        }
        moved
    }

    /// Notes that `moved` of `len` bytes were transferred: if fewer, the direction is not ready.
    ///
    /// A poller that only imitates edges would bring no further event, as no operation has failed
    /// with "would block".
    #[inline]
    pub(crate) fn note_transfer(&self, direction: Direction, moved: usize, len: usize) {
        if IS_EDGE_TRIGGERED && moved > 0 && moved < len {
            self.registration.clear(direction);
        }
    }

    /// Notes that there is nothing more to take: an event follows when there is.
    pub(crate) fn note_drained(&self, direction: Direction) {
        self.registration.clear(direction);
    }

    /// As [`try_io`](Self::try_io), but a signal that interrupts the operation is no reason to give up.
    pub(crate) fn try_transfer<T>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            match self.try_io(direction, &mut operation) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                tried => return tried,
            }
        }
    }

    /// Tries `operation` once, without waiting. It is not tried if the direction is known to block.
    pub(crate) fn try_io<T>(
        &self,
        direction: Direction,
        operation: impl FnOnce(&S) -> io::Result<T>,
    ) -> io::Result<T> {
        if !self.registration.is_ready(direction) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let tried = operation(self.get());
        if matches!(&tried, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            self.block(direction);
        }
        tried
    }

    /// An operation would have blocked.
    #[inline]
    fn block(&self, direction: Direction) {
        self.registration.block(direction);
        if !IS_EDGE_TRIGGERED {
            self.of.rearm(self.get(), &self.registration);
        }
    }

    /// Tries `operation` until it does not block. Any number of tasks may wait so.
    pub(crate) async fn io<T>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> io::Result<T> {
        let wait = self.registration.name_wait();
        let _waiting = WaitingForReady(&self.registration, direction, wait);
        poll_fn(|cx| self.poll_io(direction, wait, cx, &mut operation)).await
    }

    /// Wakes all tasks that wait for the direction, as an event does.
    #[cfg(unix)]
    pub(crate) fn wake_all(&self, direction: Direction) {
        self.registration.wake_all(direction);
    }

    /// Whether an event has reported the end of the direction. Such a report may be wrong.
    #[cfg(unix)]
    pub(crate) fn has_ended(&self, direction: Direction) -> bool {
        self.registration.has_ended(direction)
    }

    /// Waits until the direction may be ready. Any number of tasks may wait so.
    pub(crate) async fn ready(&self, direction: Direction) -> io::Result<()> {
        self.io(direction, |_| Ok(())).await
    }
}

impl<S: Source + Described> Drop for RegisteredIo<S> {
    fn drop(&mut self) {
        let io = self.deregister();
        drop(io);
    }
}

impl<S: Source + Described + fmt::Debug> fmt::Debug for RegisteredIo<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// Reports a wait for a descriptor.
#[inline]
pub(super) fn report_wait(
    direction: Direction,
    fd: i64,
    kind: &'static str,
    peer: Option<Box<SocketAddr>>,
) {
    looking::outside(match direction {
        Direction::Read => Step::Readable { fd, kind, peer },
        Direction::Write => Step::Writable { fd, kind, peer },
    });
}

/// The error of a wait in another loop.
#[cold]
#[inline]
pub(crate) fn refused() -> io::Error {
    io::Error::other(
        "waiting for a descriptor outside of the event loop it was made in, which alone is told of \
         it: await it there, or make it again here",
    )
}

/// Removes the waiter when the wait is dropped.
pub(super) struct WaitingForReady<'a>(
    pub(super) &'a Registration,
    pub(super) Direction,
    pub(super) WaitId,
);

impl Drop for WaitingForReady<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.forget(self.1, self.2);
    }
}
