//! TCP connections.

use std::io;
use std::net::{Shutdown, SocketAddr};

use socket2::SockRef;

use super::halves::split;
use super::macros::{
    descriptor_of_ready, from_and_into_std, poll_reads, poll_writes, read_by_traits,
    write_by_traits,
};
use super::tcp_options::tcp_options;
use crate::event_loop::Direction;
use crate::sys;
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
///
/// Closing it by the trait ends writing: the other end reads its end after all that was written, and
/// this end may read on. **Dropping** it with something unread, or while the other end still sends,
/// has the system reset the connection, and the other end may lose what it was sent last. Read to the
/// end before, or use [`close_in_order`](super::close_in_order).
///
/// Options that have no method here are set through `socket2::SockRef::from(&stream)`.
pub struct TcpStream {
    ready: Ready<mio::net::TcpStream>,
}

impl TcpStream {
    pub(super) fn new(io: mio::net::TcpStream) -> io::Result<Self> {
        Ok(TcpStream {
            ready: Ready::new(io)?,
        })
    }

    /// Waits for an attempt to connect to come to its end.
    pub(super) async fn connecting(socket: std::net::TcpStream) -> io::Result<Self> {
        let stream = Self::new(mio::net::TcpStream::from_std(socket))?;
        stream
            .ready
            .io(Direction::Write, |io| sys::is_connected(SockRef::from(io)))
            .await?;
        Ok(stream)
    }

    /// Tries `operation` until it does anything but block, waiting in between until it can write.
    pub(super) async fn when_writable<T>(
        &self,
        operation: impl FnMut(&mio::net::TcpStream) -> io::Result<T>,
    ) -> io::Result<T> {
        self.ready.io(Direction::Write, operation).await
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

    /// Reads what is there without taking it away, waiting until something is; gives its length,
    /// zero at the end.
    ///
    /// Any number of tasks may wait so. Dropping the wait loses nothing.
    ///
    /// # Errors
    ///
    /// As for reading.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.ready.io(Direction::Read, |io| io.peek(buffer)).await
    }

    /// Reads what is there, without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing is, as far as the loop knows; and as
    /// for reading.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.ready
            .try_io(Direction::Read, |io| sys::receive(io, buffer))
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room, as far as the loop knows; and
    /// as for writing.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.ready
            .try_io(Direction::Write, |io| sys::send(io, bytes))
    }

    /// The error that has come for the socket and that nobody has been told yet; it is told once.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.ready.get().take_error()
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

    fn end_writing(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn socket(&self) -> SockRef<'_> {
        SockRef::from(self.ready.get())
    }
}

poll_reads!(TcpStream, sys::receive);
poll_writes!(TcpStream);
read_by_traits!(TcpStream);
write_by_traits!(TcpStream);
split!(TcpStream);
tcp_options!(TcpStream);
from_and_into_std!(TcpStream, mio::net::TcpStream, std::net::TcpStream);
descriptor_of_ready!(TcpStream);
