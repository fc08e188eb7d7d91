//! `Io`: streams between the traits of `futures` and those of hyper.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::io::{AsyncRead, AsyncWrite};
use hyper::rt;

use crate::event_loop::LoopHandle;

/// How much is read at once outside of a loop.
const LEN_OUTSIDE: usize = 4 * 1024;

/// A stream with the traits of the other side: hyper reads and writes an `Io` of a stream of this
/// crate, and an `Io` of a stream of hyper, such as [`Upgraded`](hyper::upgrade::Upgraded), is read
/// and written by the traits of `futures`.
///
/// Reads pass through the buffer of the loop, so a connection that waits has none of its own.
#[derive(Debug, Clone, Default)]
pub struct Io<S>(S);

impl<S> Io<S> {
    /// Wraps a stream.
    pub fn new(stream: S) -> Self {
        Io(stream)
    }

    /// The stream.
    pub fn get_ref(&self) -> &S {
        &self.0
    }

    /// The stream, mutably.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.0
    }

    /// Takes the stream out.
    pub fn into_inner(self) -> S {
        self.0
    }

    fn inner(self: Pin<&mut Self>) -> Pin<&mut S>
    where
        S: Unpin,
    {
        Pin::new(&mut self.get_mut().0)
    }
}

impl<S: AsyncRead + Unpin> rt::Read for Io<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match LoopHandle::try_current() {
            Some(handle) => poll_read(self.inner(), cx, into, &mut handle.lend_buffer()),
            None => poll_read(self.inner(), cx, into, &mut [0; LEN_OUTSIDE]),
        }
    }
}

/// Reads through a buffer, since reading into the uninitialised buffer of hyper would take unsafe
/// code.
fn poll_read<S: AsyncRead>(
    stream: Pin<&mut S>,
    cx: &mut Context<'_>,
    mut into: rt::ReadBufCursor<'_>,
    through: &mut [u8],
) -> Poll<io::Result<()>> {
    let len = through.len().min(into.remaining());
    let read = ready!(stream.poll_read(cx, &mut through[..len]))?;
    into.put_slice(&through[..read]);
    Poll::Ready(Ok(()))
}

impl<S: AsyncWrite + Unpin> rt::Write for Io<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_close(cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write_vectored(cx, slices)
    }
}

impl<S: rt::Read + Unpin> AsyncRead for Io<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = rt::ReadBuf::new(buffer);
        ready!(self.inner().poll_read(cx, buffer.unfilled()))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl<S: rt::Write + Unpin> AsyncWrite for Io<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write_vectored(cx, slices)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_shutdown(cx)
    }
}
