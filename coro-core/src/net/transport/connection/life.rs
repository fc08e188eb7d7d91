//! The life of a connection: its orderly end, which waits for both halves, and its abort.

use std::task::{Context, Poll, ready};

use super::super::Protocol;
#[cfg(unix)]
use super::super::{layers::find, pipe::ReadPipe};
use super::reading::ReadingHalf;
use super::writing::WritingHalf;
use super::{Connection, change};
use crate::callbacks::{CallbackTransport, Life, ProtocolCell};
use crate::report::ReportKind;

impl CallbackTransport for Connection {
    type Protocol = dyn Protocol;

    #[inline]
    fn life(&self) -> &Life {
        &self.life
    }

    #[inline]
    fn protocol(&self) -> &ProtocolCell<dyn Protocol> {
        &self.protocol
    }

    #[inline]
    fn buffered(&self) -> usize {
        self.out.borrow().len() + self.set_aside.get()
    }

    #[inline]
    fn poll_step(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.receive(cx);
        self.flush(cx);
        self.close_if_forgotten();
        self.poll_end(cx)
    }

    /// Stops both directions at once.
    #[inline]
    fn discard(&self) {
        change(&self.reading, ReadingHalf::stop);
        drop(self.out.take());
        self.set_aside.set(0);
        if let Some(upgrader) = self.upgrader.take() {
            upgrader.wake();
        }
    }

    /// Closes the stream.
    #[inline]
    fn release(&self) {
        let stream = self.stream.try_borrow_mut().map(|mut stream| stream.take());
        let of = self.life.of();
        let _ = of.contain(ReportKind::DropPanicked, || drop(stream));
    }
}

impl Connection {
    /// Sends the bytes that were written and the end of them; then lingers, and is lost.
    #[inline]
    pub(in super::super) fn close(&self) {
        if self.life.close() {
            change(&self.reading, ReadingHalf::stop);
            self.request_shutdown();
            self.life.wake(); // also if the writing half was shut down before
        }
    }

    /// Closes a connection with which nothing can be done any more: it does not read, and has no
    /// [`Transport`](super::super::Transport).
    #[inline]
    fn close_if_forgotten(&self) {
        if self.handles.get() == 0 && !self.is_reading() {
            self.close();
        }
    }

    /// Ready once nothing is left to be done but to call `connection_lost`.
    #[inline]
    fn poll_end(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.life.is_broken() {
            return Poll::Ready(());
        }
        if self.life.is_open() || self.writing.get() != WritingHalf::ShutDown {
            return Poll::Pending;
        }
        if self.reading.get() == ReadingHalf::Discarding && !self.only_reads() {
            ready!(self.lingering.borrow_mut().poll(self, cx));
        }
        Poll::Ready(())
    }

    /// Whether nothing can be written to the stream, so that closing it loses nothing.
    #[inline]
    fn only_reads(&self) -> bool {
        #[cfg(unix)]
        return self
            .with_stream_ref(|stream| find(stream).map(|_: &ReadPipe| ()))
            .is_some();
        #[cfg(not(unix))]
        false
    }
}
