//! Waiting for a descriptor.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use mio::event::Source;

use crate::event_loop::{Direction, LoopHandle, Registration, Wait};

/// A descriptor that is registered with the present loop for as long as this lives.
pub(crate) struct Ready<S: Source> {
    io: S,
    registration: Registration,
    of: LoopHandle,
}

impl<S: Source> Ready<S> {
    /// Registers a descriptor that does not block.
    #[track_caller]
    pub(crate) fn new(mut io: S) -> io::Result<Self> {
        let of = LoopHandle::current();
        let registration = of.register(&mut io)?;
        Ok(Ready {
            io,
            registration,
            of,
        })
    }

    pub(crate) fn get(&self) -> &S {
        &self.io
    }

    /// Tries `operation` until it does anything but block, waiting in between under a name.
    pub(crate) fn poll_io<T>(
        &self,
        direction: Direction,
        wait: Wait,
        cx: &Context<'_>,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            let Poll::Ready(()) = self.registration.poll_ready(direction, wait, cx) else {
                return self.check_loop(direction, wait);
            };
            match operation(&self.io) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.registration.clear(direction);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return Poll::Ready(other),
            }
        }
    }

    /// Another loop would never be told of the descriptor, so waiting there must not begin.
    fn check_loop<T>(&self, direction: Direction, wait: Wait) -> Poll<io::Result<T>> {
        if LoopHandle::try_current().as_ref() == Some(&self.of) {
            return Poll::Pending;
        }
        self.registration.forget(direction, wait);
        Poll::Ready(Err(io::Error::other(
            "waiting for a descriptor outside of the event loop it was made in, which alone is \
             told of it: await it there, or make it again here",
        )))
    }

    /// Transfers bytes into or out of `len` of them, waiting until it can: one transfer that came
    /// up short took all there was, so the next waits without being tried.
    ///
    /// Of several who wait so for the same direction, only the one that polled last is woken.
    pub(crate) fn poll_transfer(
        &self,
        direction: Direction,
        len: usize,
        cx: &Context<'_>,
        operation: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let moved = ready!(self.poll_io(direction, Wait::UNNAMED, cx, operation))?;
        if moved > 0 && moved < len {
            self.registration.clear(direction);
        }
        Poll::Ready(Ok(moved))
    }

    /// Tries `operation` until it does anything but block. Any number may wait so.
    pub(crate) async fn io<T>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> io::Result<T> {
        let wait = self.registration.name_wait();
        let _waiting = Waiting(&self.registration, direction, wait);
        poll_fn(|cx| self.poll_io(direction, wait, cx, &mut operation)).await
    }
}

impl<S: Source> Drop for Ready<S> {
    fn drop(&mut self) {
        self.of.deregister(&mut self.io, &self.registration);
    }
}

/// Takes the waiter away again when the wait is given up.
struct Waiting<'a>(&'a Registration, Direction, Wait);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.forget(self.1, self.2);
    }
}
