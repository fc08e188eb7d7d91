//! TCP connections.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use socket2::SockRef;

use super::halves::split;
use super::hops;
use super::keepalive::Keepalive;
use super::macros::{
    buffer_sizes, descriptor_of_ready, from_and_into_std, poll_reads, poll_writes, read_by_traits,
    socket_options, write_by_traits,
};
use crate::event_loop::Direction;
use crate::sys::{self, Sock};
use crate::wait::ready::RegisteredIo;

/// A TCP connection. Dropping it closes it.
///
/// It implements the traits of [`futures::io`], whose `AsyncReadExt` and `AsyncWriteExt` have the
/// methods. So does `&TcpStream`: with it, one task can read while another writes. The stream has
/// no buffer, so dropping a read or a single write loses nothing. If `write_all` or a similar
/// future is dropped, it is unknown how much was written.
///
/// Any number of tasks may read from one `&TcpStream`, or write to it: they are served in the order in
/// which they came.
///
/// Closing it by the trait ends writing: the other end reads its end after all that was written, and
/// this end may read on. **Dropping** it with unread bytes, or while the other end still sends, makes
/// the system reset the connection, and the other end may lose the last bytes that were written. Read
/// to the end before, or use [`close_in_order`](super::close_in_order).
///
/// Other options are set through `socket2::SockRef::from(&stream)`.
///
/// It is not `Clone`: two tasks use `&stream`, [`into_split`](Self::into_split), or an
/// [`Rc`](std::rc::Rc) of the stream.
///
/// # If the compiler says ..
///
/// - "no method named `write_all` found": import the trait, `use coro::io::AsyncWriteExt`; for `read` and
///   `read_to_end` it is `AsyncReadExt`.
/// - "no method named `clone` found", with the help "there is a method `close`": see above; `close` would
///   end the connection.
#[doc(alias = "StreamWriter")]
pub struct TcpStream {
    ready: RegisteredIo<Sock<mio::net::TcpStream>>,
}

impl TcpStream {
    #[inline]
    pub(super) fn new(io: Sock<mio::net::TcpStream>) -> io::Result<Self> {
        Ok(TcpStream {
            ready: RegisteredIo::new(io)?,
        })
    }

    /// Waits until an attempt to connect has succeeded or failed.
    #[inline]
    pub(super) async fn connecting(socket: Sock<mio::net::TcpStream>) -> io::Result<Self> {
        let stream = Self::new(socket)?;
        stream
            .ready
            .io(Direction::Write, Sock::<mio::net::TcpStream>::is_connected)
            .await?;
        Ok(stream)
    }

    /// Tries `operation` until it does not block, waiting until the stream is writable in between.
    pub(super) async fn when_writable<T>(
        &self,
        operation: impl FnMut(&Sock<mio::net::TcpStream>) -> io::Result<T>,
    ) -> io::Result<T> {
        self.ready.io(Direction::Write, operation).await
    }

    /// The local address.
    ///
    /// # Errors
    ///
    /// If the system fails to report it.
    #[inline]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.ready.get().local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// If the connection is gone.
    #[inline]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.ready.get().peer_addr()
    }

    /// Copies available bytes into `buffer` without removing them from the stream; waits if there
    /// are none. Gives their number, zero at the end.
    ///
    /// Any number of tasks may wait in this way. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// As for reading.
    #[inline]
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.ready.io(Direction::Read, |io| io.peek(buffer)).await
    }

    /// Reads available bytes, without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if none are available, as far as the loop knows;
    /// and as for reading.
    #[inline]
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.ready
            .try_transfer(Direction::Read, |io| sys::receive(io, buffer))
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room, as far as the loop knows; and
    /// as for writing.
    #[inline]
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.ready
            .try_transfer(Direction::Write, |io| sys::send(io, bytes))
    }

    /// The socket's pending error, which is then cleared.
    ///
    /// # Errors
    ///
    /// If the system fails to report it.
    #[inline]
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.ready.get().take_error()
    }

    /// Shuts down reading, writing or both, for every user of the connection.
    ///
    /// A connection that the other end has closed already counts as shut down.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    #[inline]
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self.ready.get().shutdown(how) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            other => other,
        }
    }

    #[inline]
    fn end_writing(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    #[inline]
    fn socket(&self) -> SockRef<'_> {
        SockRef::from(self.ready.get())
    }
}

poll_reads!(TcpStream, sys::receive);
poll_writes!(TcpStream);
read_by_traits!(TcpStream);
write_by_traits!(TcpStream);
split!(TcpStream);
buffer_sizes!(TcpStream);
socket_options! { TcpStream:
    /// Whether small writes are sent at once, instead of being collected (`TCP_NODELAY`).
    nodelay, set_nodelay: bool { tcp_nodelay, set_tcp_nodelay }
    /// How long closing tries to send the remaining bytes (`SO_LINGER`).
    ///
    /// With zero, closing resets the connection. With `None`, the system sends them in the
    /// background.
    linger, set_linger: Option<Duration> { linger, set_linger }
}

impl TcpStream {
    /// Whether an idle connection is probed, to see whether its other end still exists
    /// (`SO_KEEPALIVE`).
    ///
    /// # Errors
    ///
    /// If the system fails to report it.
    #[inline]
    pub fn keepalive(&self) -> io::Result<bool> {
        self.socket().keepalive()
    }

    /// Sets when an idle connection is probed; `None` turns probes off.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    #[inline]
    pub fn set_keepalive(&self, keepalive: Option<Keepalive>) -> io::Result<()> {
        Keepalive::set(keepalive, &self.socket())
    }

    /// How many routers a packet may pass (`IP_TTL`, or `IPV6_UNICAST_HOPS`).
    ///
    /// # Errors
    ///
    /// If the system fails to report it.
    #[inline]
    pub fn ttl(&self) -> io::Result<u32> {
        hops::get(&self.socket())
    }

    /// Sets how many routers a packet may pass.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    #[inline]
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        hops::set(&self.socket(), ttl)
    }
}
from_and_into_std!(TcpStream, mio::net::TcpStream, std::net::TcpStream);
descriptor_of_ready!(TcpStream);
