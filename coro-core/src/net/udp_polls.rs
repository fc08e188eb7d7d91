//! Operations of a `UdpSocket` for futures that are written by hand.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use super::UdpSocket;
use super::datagram::{no_sender, or_end};
use crate::event_loop::{Direction, WaitId};
use crate::sys::Sock;

/// For futures that are written by hand, and for libraries that ask for such functions, as QUIC does.
///
/// Each is the operation of the same name without `poll_`, with the same errors. Any number of tasks
/// may wait in this way; all that wait for one direction are woken together, in the order in which
/// they came. A task that gives up need not say so.
impl UdpSocket {
    /// Receives a datagram into a buffer, and gives its length; see [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// As for [`recv`](Self::recv).
    #[inline]
    pub fn poll_recv(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll(Direction::Read, cx, |io| {
            or_end(&self.ready, io.recv(buffer), || Ok(0))
        })
    }

    /// Receives a datagram; gives its length and its sender.
    ///
    /// # Errors
    ///
    /// As for [`recv_from`](Self::recv_from).
    #[inline]
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.poll(Direction::Read, cx, |io| {
            or_end(&self.ready, io.recv_from(buffer), || Err(no_sender()))
        })
    }

    /// As [`poll_recv_from`](Self::poll_recv_from), but waits for ever at a socket that was shut down.
    #[inline]
    pub(super) fn poll_recv_while_open(
        &self,
        cx: &Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.poll(Direction::Read, cx, |io| io.recv_from(buffer))
    }

    /// Sends a datagram to the address that the socket is connected to.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    #[inline]
    pub fn poll_send(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(Direction::Write, cx, |io| io.send(bytes))
    }

    /// Sends a datagram to an address.
    ///
    /// # Errors
    ///
    /// As for [`send_to`](Self::send_to).
    #[inline]
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        address: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.poll(Direction::Write, cx, |io| io.send_to(bytes, address))
    }

    /// Waits until it may be possible to receive. It stays ready until a receive finds no datagram.
    ///
    /// # Errors
    ///
    /// As for [`readable`](Self::readable).
    #[inline]
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(Direction::Read, cx, |_| Ok(()))
    }

    /// Waits until it may be possible to send. It stays ready until a send finds no room.
    ///
    /// # Errors
    ///
    /// As for [`writable`](Self::writable).
    #[inline]
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(Direction::Write, cx, |_| Ok(()))
    }

    /// Calls `operation` until it does not block, waiting in between: for calls of the system that
    /// have no method here, such as those that send several datagrams at once.
    ///
    /// The socket gives its descriptor, which does not block. An operation that was interrupted by a
    /// signal is called again.
    ///
    /// ```
    /// use coro::net::{Interest, UdpSocket};
    /// use socket2::SockRef;
    /// use std::future::poll_fn;
    ///
    /// coro::run(async {
    ///     let server = UdpSocket::bind("127.0.0.1:0")?;
    ///     let to = server.local_addr()?.into();
    ///     let client = UdpSocket::bind("127.0.0.1:0")?;
    ///     let parts = [std::io::IoSlice::new(b"one "), std::io::IoSlice::new(b"datagram")];
    ///     poll_fn(|cx| {
    ///         client.poll_io(Interest::Write, cx, |io| {
    ///             SockRef::from(io).send_to_vectored(&parts, &to)
    ///         })
    ///     })
    ///     .await?;
    ///     let mut buffer = [0; 16];
    ///     assert_eq!(server.recv(&mut buffer).await?, 12);
    ///     std::io::Result::Ok(())
    /// })
    /// # .unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `operation`, except [`WouldBlock`](io::ErrorKind::WouldBlock); and if it has to wait
    /// outside of the loop in which the socket was made.
    pub fn poll_io<R>(
        &self,
        interest: Direction,
        cx: &mut Context<'_>,
        mut operation: impl FnMut(&Self) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll(interest, cx, |_| operation(self))
    }

    /// Calls `operation` once, unless the loop knows that it would block; see
    /// [`poll_io`](Self::poll_io).
    ///
    /// # Errors
    ///
    /// Those of `operation`; [`WouldBlock`](io::ErrorKind::WouldBlock) if it would block.
    pub fn try_io<R>(
        &self,
        interest: Direction,
        operation: impl FnOnce(&Self) -> io::Result<R>,
    ) -> io::Result<R> {
        self.ready.try_io(interest, |_| operation(self))
    }

    fn poll<R>(
        &self,
        interest: Direction,
        cx: &Context<'_>,
        operation: impl FnMut(&Sock<mio::net::UdpSocket>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.ready.poll_io(interest, WaitId::UNNAMED, cx, operation)
    }
}
