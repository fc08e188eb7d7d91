//! The writing half of a connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::super::stream::Stream;
use super::{Connection, change};
use crate::callbacks::{CallbackTransport, Outgoing};
use crate::task::budget;

/// The direction from this end to the other; see the diagram of [`super`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WritingHalf {
    Open,
    /// The end follows the bytes that wait.
    ShutdownRequested,
    /// The end was sent.
    ShutDown,
}

/// The duty after a shutdown was requested.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RequestShutdown {
    /// The driver sends the end.
    Wake,
    /// It was requested before.
    Nothing,
}

impl WritingHalf {
    #[inline]
    pub(super) fn request_shutdown(&mut self) -> RequestShutdown {
        match self {
            WritingHalf::Open => {
                *self = WritingHalf::ShutdownRequested;
                RequestShutdown::Wake
            }
            _ => RequestShutdown::Nothing,
        }
    }

    #[inline]
    pub(super) fn on_shut_down(&mut self) {
        debug_assert_eq!(*self, WritingHalf::ShutdownRequested);
        *self = WritingHalf::ShutDown;
    }
}

impl Connection {
    /// Writes `len` bytes by `now`, if no other bytes wait; `keep` takes the bytes that remain.
    pub(in super::super) fn write(
        &self,
        len: usize,
        now: impl FnOnce(Pin<&mut dyn Stream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
        keep: impl FnOnce(&mut Outgoing, usize),
    ) {
        if len == 0 || self.refuses_write() {
            return;
        }
        // This is no wait: a step that has used its budget up writes all the same.
        let written = match budget::unlimited(|| self.try_now(now)) {
            Poll::Ready(Ok(0)) => return self.fail(io::ErrorKind::WriteZero.into()),
            Poll::Ready(Ok(written)) => written,
            Poll::Ready(Err(error)) => return self.fail(error),
            Poll::Pending => 0,
        };
        if written < len {
            keep(&mut self.out.borrow_mut(), written);
            self.life.wake();
            self.note_waiting();
        }
    }

    /// Whether a write is to be ignored, as the connection is closing.
    ///
    /// # Panics
    ///
    /// After `write_eof`.
    #[inline]
    fn refuses_write(&self) -> bool {
        if self.life.is_closing() {
            self.life.ignore_write();
            return true;
        }
        assert!(
            self.writing.get() == WritingHalf::Open,
            "write() after write_eof() on a transport: write everything before the end"
        );
        false
    }

    fn try_now(
        &self,
        now: impl FnOnce(Pin<&mut dyn Stream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Some(waker) = self.life.waker_here() else {
            return Poll::Pending;
        };
        if !self.out.borrow().is_empty() {
            return Poll::Pending;
        }
        let cx = &mut Context::from_waker(waker);
        self.with_stream(|mut stream| {
            let written = ready!(now(stream.as_mut(), cx))?;
            let flushed = stream.poll_flush(cx)?;
            self.unflushed.set(flushed.is_pending());
            Poll::Ready(Ok(written))
        })
    }

    /// Writes the bytes that wait, as many as the stream takes; then the end, if it was requested.
    #[inline]
    pub(super) fn flush(&self, cx: &mut Context<'_>) {
        if self.life.is_broken() {
            return;
        }
        if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
            self.fail(error);
        }
        if !self.life.is_broken() {
            self.note_waiting();
        }
    }

    #[inline]
    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.borrow().is_empty() {
            ready!(self.poll_write_out(cx))?;
            self.unflushed.set(true);
        }
        if self.unflushed.get() {
            ready!(self.with_stream(|stream| stream.poll_flush(cx)))?;
            self.unflushed.set(false);
        }
        if self.writing.get() == WritingHalf::ShutdownRequested {
            ready!(self.with_stream(|stream| stream.poll_close(cx)))?;
            change(&self.writing, WritingHalf::on_shut_down);
        }
        Poll::Ready(Ok(()))
    }

    /// Writes once. The bytes are taken out meanwhile, as the stream may be foreign code that
    /// writes to this transport.
    #[inline]
    fn poll_write_out(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut out = self.out.take();
        let written = out.with_slices(|slices| {
            self.with_stream(|stream| stream.poll_write_vectored(cx, slices))
        });
        let written = written.map(|written| match written? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            written => {
                out.advance(written);
                Ok(())
            }
        });
        let later = self.out.replace(out);
        self.out.borrow_mut().append(later);
        written
    }

    /// Has the end sent after the bytes that wait.
    #[inline]
    pub(in super::super) fn write_eof(&self) {
        if self.life.is_open() {
            self.request_shutdown();
        }
    }

    #[inline]
    pub(super) fn request_shutdown(&self) {
        match change(&self.writing, WritingHalf::request_shutdown) {
            RequestShutdown::Wake => self.life.wake(),
            RequestShutdown::Nothing => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shutdown_is_requested_once() {
        let mut half = WritingHalf::Open;
        assert_eq!(half.request_shutdown(), RequestShutdown::Wake);
        assert_eq!(half, WritingHalf::ShutdownRequested);
        assert_eq!(half.request_shutdown(), RequestShutdown::Nothing);
        half.on_shut_down();
        assert_eq!(half.request_shutdown(), RequestShutdown::Nothing);
        assert_eq!(half, WritingHalf::ShutDown);
    }
}
