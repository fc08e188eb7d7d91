//! Waiting for a descriptor.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use mio::event::Source;

use crate::event_loop::{Direction, LoopHandle, Registration};

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

    /// Tries `operation` until it does anything but block, waiting in between.
    pub(crate) fn poll_io<T>(
        &self,
        direction: Direction,
        cx: &Context<'_>,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            let Poll::Ready(()) = self.registration.poll_ready(direction, cx) else {
                return self.check_loop(direction);
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
    fn check_loop<T>(&self, direction: Direction) -> Poll<io::Result<T>> {
        if LoopHandle::try_current().as_ref() == Some(&self.of) {
            return Poll::Pending;
        }
        self.registration.forget_waiter(direction);
        Poll::Ready(Err(io::Error::other(
            "waiting for a descriptor outside of the event loop it was made in, which alone is \
             told of it: await it there, or make it again here",
        )))
    }

    /// As [`poll_io`](Self::poll_io), for a transfer of bytes into or out of `len` of them: one
    /// that came up short took all there was, so the next waits without being tried.
    pub(crate) fn poll_transfer(
        &self,
        direction: Direction,
        len: usize,
        cx: &Context<'_>,
        operation: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let moved = ready!(self.poll_io(direction, cx, operation))?;
        if moved > 0 && moved < len {
            self.registration.clear(direction);
        }
        Poll::Ready(Ok(moved))
    }

    pub(crate) async fn io<T>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> io::Result<T> {
        let _waiting = Waiting(&self.registration, direction);
        poll_fn(|cx| self.poll_io(direction, cx, &mut operation)).await
    }
}

impl<S: Source> Drop for Ready<S> {
    fn drop(&mut self) {
        self.of.deregister(&mut self.io, &self.registration);
    }
}

/// Takes the waiter away again when the wait is given up.
struct Waiting<'a>(&'a Registration, Direction);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.forget_waiter(self.1);
    }
}
