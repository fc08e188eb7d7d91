//! The plain stream below the TLS of a transport.

use std::any::Any;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::io::{AsyncRead, AsyncWrite};

use super::stream::Stream;
use crate::callbacks::Outgoing;
use crate::net::tls::TlsStream;

/// The stream of a [`Transport`](crate::net::Transport) in plain text, below the TLS that
/// [`start_tls`](crate::net::Transport::start_tls) has put on it: a type to name to
/// [`with_stream`](crate::net::Transport::with_stream).
///
/// ```
/// use coro::net::tls::{PlainStream, TlsStream};
/// # fn example(transport: &coro::net::Transport) {
/// let speaks_h2 = transport.with_stream(|tls: &TlsStream<PlainStream>| {
///     tls.alpn_protocol() == Some(b"h2")
/// });
/// # }
/// ```
pub struct PlainStream {
    stream: Box<dyn Stream>,
    /// Bytes to send first, in plain text.
    out: Outgoing,
    /// The stream may have bytes in a buffer of its own, for which the other end waits.
    unflushed: bool,
}

impl PlainStream {
    #[inline]
    pub(super) fn new(stream: Box<dyn Stream>, out: Outgoing) -> Self {
        PlainStream {
            stream,
            out,
            unflushed: true,
        }
    }

    #[inline]
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let stream = Pin::new(&mut self.stream);
            let written = self
                .out
                .with_slices(|slices| stream.poll_write_vectored(cx, slices));
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.out.advance(written),
            }
        }
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// A read waits for an answer of the other end, so the bytes that it answers are sent first.
    #[inline]
    fn poll_before_read(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.poll_sent(cx) {
            Poll::Ready(sent) => sent,
            Poll::Pending => Ok(()),
        }
    }
}

/// The stream below a layer of TLS, if this is one.
#[inline]
pub(super) fn below(stream: &dyn Any) -> Option<&dyn Stream> {
    let tls: &TlsStream<PlainStream> = stream.downcast_ref()?;
    Some(&*tls.get_ref().stream)
}

impl AsyncRead for PlainStream {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_before_read(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }

    #[inline]
    fn poll_read_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_before_read(cx)?;
        Pin::new(&mut self.stream).poll_read_vectored(cx, buffers)
    }
}

impl AsyncWrite for PlainStream {
    #[inline]
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_out(cx))?;
        self.unflushed = true;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_out(cx))?;
        self.unflushed = true;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_sent(cx)
    }

    #[inline]
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

impl fmt::Debug for PlainStream {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainStream").finish_non_exhaustive()
    }
}
