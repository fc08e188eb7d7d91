//! The upgrade of a connection: its stream is taken away, and comes back with a layer of TLS.

use std::io::{self, ErrorKind};
use std::task::{Context, Poll};

use super::super::stream::Stream;
use super::Connection;
use super::writing::WritingHalf;
use crate::callbacks::Outgoing;

impl Connection {
    /// The stream, and the bytes that still have to be written to it in plain text. Until a stream
    /// is put back nothing is read, and bytes that are written wait.
    #[inline]
    pub(in super::super) fn take_stream(&self) -> io::Result<(Box<dyn Stream>, Outgoing)> {
        if self.life.is_closing() {
            return Err(refused(ErrorKind::NotConnected, "that is closing"));
        }
        if self.writing.get() != WritingHalf::Open {
            return Err(refused(ErrorKind::BrokenPipe, "after its write_eof()"));
        }
        let place = self.stream.try_borrow_mut();
        let taken = place.ok().and_then(|mut stream| stream.take());
        let stream = taken.ok_or_else(|| {
            let text = "that is in the midst of another: wait for that to be done";
            refused(ErrorKind::ResourceBusy, text)
        })?;
        let out = self.out.take();
        self.set_aside.set(out.len());
        self.unflushed.set(false);
        Ok((stream, out))
    }

    /// Goes on over this stream, unless the connection broke meanwhile.
    #[inline]
    pub(in super::super) fn put_stream(&self, stream: Box<dyn Stream>) -> io::Result<()> {
        if self.life.is_broken() {
            return Err(broken());
        }
        self.set_aside.set(0);
        self.stream.replace(Some(stream));
        self.life.wake();
        Ok(())
    }

    /// Ready, with an error, once the connection broke, also if it was aborted.
    #[inline]
    pub(in super::super) fn poll_broken(&self, cx: &Context<'_>) -> Poll<io::Error> {
        if self.life.is_broken() {
            return Poll::Ready(broken());
        }
        drop(self.upgrader.replace(Some(cx.waker().clone())));
        Poll::Pending
    }

    #[inline]
    pub(in super::super) fn forget_upgrader(&self) {
        drop(self.upgrader.take());
    }

    /// Whether the stream is away, for a while or for good.
    #[inline]
    pub(in super::super) fn is_away(&self) -> bool {
        self.stream
            .try_borrow()
            .is_ok_and(|stream| stream.is_none())
    }
}

#[inline]
fn refused(kind: ErrorKind, why: &str) -> io::Error {
    io::Error::new(kind, format!("tls: start_tls() on a transport {why}"))
}

#[inline]
fn broken() -> io::Error {
    let text = "tls: the transport was aborted during the handshake";
    io::Error::new(ErrorKind::ConnectionAborted, text)
}
