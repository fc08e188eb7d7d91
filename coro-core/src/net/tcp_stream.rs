//! TCP connections.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::io::{AsyncRead, AsyncWrite};

use crate::event_loop::Direction;
use crate::wait::ready::Ready;

/// A TCP connection. Dropping it closes it.
///
/// It reads and writes by the traits of [`futures::io`], whose `AsyncReadExt` and `AsyncWriteExt`
/// have the methods; so does `&TcpStream`, by which one task can read while another writes. Nothing
/// is buffered here, so dropping a read or a single write loses nothing; of `write_all` and the
/// like it is unknown how much was written when they are dropped.
///
/// Those traits know one reader and one writer: of two tasks that wait to read from the same
/// connection, or to write to it, only the one that asked last is woken.
pub struct TcpStream {
    ready: Ready<mio::net::TcpStream>,
}

impl TcpStream {
    pub(super) fn new(io: mio::net::TcpStream) -> io::Result<Self> {
        Ok(TcpStream {
            ready: Ready::new(io)?,
        })
    }

    pub(super) async fn connect_to(address: SocketAddr) -> io::Result<Self> {
        Self::connected(mio::net::TcpStream::connect(address)?).await
    }

    /// Waits for the outcome of a connection attempt that was begun elsewhere, and does not block.
    pub(super) async fn connecting(begun: std::net::TcpStream) -> io::Result<Self> {
        Self::connected(mio::net::TcpStream::from_std(begun)).await
    }

    async fn connected(io: mio::net::TcpStream) -> io::Result<Self> {
        let stream = Self::new(io)?;
        stream.ready.io(Direction::Write, is_connected).await?;
        Ok(stream)
    }

    /// Tries `operation` until it does anything but block, waiting in between until it can write.
    pub(super) async fn when_writable<T>(
        &self,
        operation: impl FnMut(&mio::net::TcpStream) -> io::Result<T>,
    ) -> io::Result<T> {
        self.ready.io(Direction::Write, operation).await
    }

    /// Takes over a connection of the standard library's.
    ///
    /// # Errors
    ///
    /// If it cannot be set not to block, or not be registered with the loop.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::new(mio::net::TcpStream::from_std(stream))
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.ready.get().local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// If the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.ready.get().peer_addr()
    }

    /// Whether small writes are sent at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.ready.get().nodelay()
    }

    /// Sets whether small writes are sent at once, instead of being gathered (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.ready.get().set_nodelay(nodelay)
    }

    /// Shuts down reading, writing or both, also for others who use the connection.
    ///
    /// One that the other end has closed already counts as shut down.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self.ready.get().shutdown(how) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            other => other,
        }
    }

    fn poll_read(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let len = buffer.len();
        self.ready
            .poll_transfer(Direction::Read, len, cx, |mut io| io.read(buffer))
    }

    fn poll_read_vectored(
        &self,
        cx: &Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = buffers.iter().map(|buffer| buffer.len()).sum();
        self.ready
            .poll_transfer(Direction::Read, len, cx, |mut io| io.read_vectored(buffers))
    }

    fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.ready
            .poll_transfer(Direction::Write, bytes.len(), cx, |mut io| io.write(bytes))
    }

    fn poll_write_vectored(
        &self,
        cx: &Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = slices.iter().map(|slice| slice.len()).sum();
        self.ready
            .poll_transfer(Direction::Write, len, cx, |mut io| {
                io.write_vectored(slices)
            })
    }
}

/// Whether a connection attempt has succeeded; "would block" while it is undecided.
fn is_connected(stream: &mio::net::TcpStream) -> io::Result<()> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        Err(error) => Err(error),
    }
}

/// Both the stream and a shared reference to it read and write alike.
macro_rules! read_and_write {
    ($($stream:ty),*) => { $(
        impl AsyncRead for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                TcpStream::poll_read(&self, cx, buffer)
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                TcpStream::poll_read_vectored(&self, cx, buffers)
            }
        }

        impl AsyncWrite for $stream {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                TcpStream::poll_write(&self, cx, bytes)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                TcpStream::poll_write_vectored(&self, cx, slices)
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            /// Shuts down writing, so that the other end reads its end.
            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.shutdown(Shutdown::Write))
            }
        }
    )* };
}

read_and_write!(TcpStream, &TcpStream);

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ready.get().fmt(f)
    }
}
