//! Writing: what goes at once, what waits, how much of it may.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::super::outgoing::Outgoing;
use super::super::protocol_cell::{Host, Limits};
use super::{Connection, End, Phase, Stream};
use crate::report::{ErrorReport, ReportKind};
use crate::task::budget;

/// At so many ignored writes a program is told of them, as in asyncio.
const IGNORED_WRITES: u32 = 5;

impl Connection {
    /// Writes `len` bytes by `now`, if nothing else waits; `keep` what remains after that.
    pub(in super::super) fn write(
        &self,
        len: usize,
        now: impl FnOnce(Pin<&mut dyn Stream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
        keep: impl FnOnce(&mut Outgoing, usize),
    ) {
        if len == 0 || self.refuses_write() {
            return;
        }
        // It is no wait: a step that has used its budget up writes all the same.
        let written = match budget::unlimited(|| self.try_now(now)) {
            Poll::Ready(Ok(0)) => return self.fail(io::ErrorKind::WriteZero.into()),
            Poll::Ready(Ok(written)) => written,
            Poll::Ready(Err(error)) => return self.fail(error),
            Poll::Pending => 0,
        };
        if written < len {
            keep(&mut self.out.borrow_mut(), written);
            self.wake();
            self.protocol.note_waiting(self, self.buffered());
        }
    }

    /// Whether a write is to be ignored.
    ///
    /// # Panics
    ///
    /// After `write_eof`.
    fn refuses_write(&self) -> bool {
        if self.is_closing() {
            let ignored = self.ignored_writes.get().saturating_add(1);
            self.ignored_writes.set(ignored);
            if ignored == IGNORED_WRITES {
                let message = format!("{ignored} writes were ignored so far");
                self.of
                    .report(ErrorReport::new(ReportKind::WriteIgnored, message));
            }
            return true;
        }
        assert!(
            self.write_end.get() == End::Unknown,
            "write() after write_eof() on a transport: write everything before the end"
        );
        false
    }

    fn try_now(
        &self,
        now: impl FnOnce(Pin<&mut dyn Stream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Some(waker) = self.waker.get().filter(|_| self.of.is_current()) else {
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

    /// Writes what waits, as much as goes; then the end, if it was asked for.
    pub(in super::super) fn flush(&self, cx: &mut Context<'_>) {
        if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
            self.fail(error);
        }
        if matches!(self.phase.get(), Phase::Open | Phase::Closing) {
            self.protocol.note_waiting(self, self.buffered());
        }
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.borrow().is_empty() {
            ready!(self.poll_write_out(cx))?;
            self.unflushed.set(true);
        }
        if self.unflushed.get() {
            ready!(self.with_stream(|stream| stream.poll_flush(cx)))?;
            self.unflushed.set(false);
        }
        if self.write_end.get() == End::Asked {
            ready!(self.with_stream(|stream| stream.poll_close(cx)))?;
            self.write_end.set(End::Sent);
        }
        Poll::Ready(Ok(()))
    }

    /// Writes once. What waits is away meanwhile, as the stream may be foreign code that calls us.
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

    /// The end of what is written comes when all that waits is sent.
    pub(in super::super) fn write_eof(&self) {
        if self.phase.get() == Phase::Open {
            self.ask_end();
            self.wake();
        }
    }

    pub(super) fn ask_end(&self) {
        if self.write_end.get() == End::Unknown {
            self.write_end.set(End::Asked);
        }
    }

    pub(in super::super) fn buffered(&self) -> usize {
        self.out.borrow().len() + self.set_aside.get()
    }

    pub(in super::super) fn limits(&self) -> Limits {
        self.protocol.limits()
    }

    pub(in super::super) fn set_limits(&self, limits: Limits) {
        self.protocol.set_limits(limits);
        self.protocol.note_waiting(self, self.buffered());
    }
}
