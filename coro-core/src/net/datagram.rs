//! `Datagram`, with the operations that datagram sockets have in common.

use std::io;
use std::net::SocketAddr;

#[cfg(unix)]
use crate::event_loop::Direction;
use crate::sys::Sock;
use crate::wait::ready::RegisteredIo;

/// The properties of a datagram that was received into a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Datagram<A = SocketAddr> {
    /// How many bytes of the buffer belong to the datagram; zero is an empty datagram, not an end.
    pub len: usize,
    /// The sender's address.
    pub from: A,
    /// The datagram was longer than the buffer, and its rest is lost.
    pub truncated: bool,
}

/// The received value; `end` in place of "would block" if the socket was shut down for receiving,
/// because then no event would ever end the wait.
///
/// An event has to report the end first, so that the system is not asked after each "would block".
#[cfg(unix)]
pub(super) fn or_end<S: mio::event::Source + std::os::fd::AsFd, T>(
    ready: &RegisteredIo<Sock<S>>,
    received: io::Result<T>,
    end: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    match received {
        Err(error)
            if error.kind() == io::ErrorKind::WouldBlock
                && ready.has_ended(Direction::Read)
                && ready.get().is_shut_for_receiving() =>
        {
            end()
        }
        other => other,
    }
}

/// On other systems the receive itself reports the end.
#[cfg(not(unix))]
pub(super) fn or_end<S: mio::event::Source + crate::sys::Opened, T>(
    _: &RegisteredIo<Sock<S>>,
    received: io::Result<T>,
    _: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    received
}

/// The end of a receive that has to name a sender.
#[inline]
pub(super) fn no_sender() -> io::Error {
    let text = "the socket was shut down for receiving, so that there is no datagram and no sender";
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

/// Defines the operations that datagram sockets have in common.
macro_rules! datagrams {
    ($socket:ident) => {
        impl $socket {
            /// Sends a datagram to the address that the socket is connected to.
            ///
            /// Dropping the future sends nothing. Any number of tasks may send and receive.
            ///
            /// # Errors
            ///
            /// If it is not connected, the datagram is too long, or an earlier datagram was
            /// refused.
            #[inline]
            pub async fn send(&self, bytes: &[u8]) -> std::io::Result<usize> {
                self.ready
                    .io($crate::event_loop::Direction::Write, |io| io.send(bytes))
                    .await
            }

            /// Receives a datagram into a buffer, and gives its length.
            ///
            /// Zero is an empty datagram, not an end. After a shutdown of receiving, however, zero is
            /// given as soon as no datagram is left, also to a receive that waits already. Bytes that
            /// do not fit in the buffer are lost silently; [`recv_datagram`](Self::recv_datagram)
            /// reports that. Dropping the future loses nothing.
            ///
            /// # Errors
            ///
            /// The system's error. It concerns one datagram, such as one sent earlier that was
            /// refused at the other end; the socket stays usable.
            #[inline]
            pub async fn recv(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let receive = |io: &_| self.recv_or_end(io, buffer);
                self.ready
                    .io($crate::event_loop::Direction::Read, receive)
                    .await
            }

            /// Sends a datagram to the address that the socket is connected to, without waiting.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if there is no room; and as for
            /// [`send`](Self::send).
            #[inline]
            pub fn try_send(&self, bytes: &[u8]) -> std::io::Result<usize> {
                self.ready
                    .try_transfer($crate::event_loop::Direction::Write, |io| io.send(bytes))
            }

            /// Receives a datagram, without waiting.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if there is none, as far as the loop
            /// knows; and as for [`recv`](Self::recv).
            #[inline]
            pub fn try_recv(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.ready
                    .try_transfer($crate::event_loop::Direction::Read, |io| {
                        self.recv_or_end(io, buffer)
                    })
            }

            #[inline]
            fn recv_or_end(
                &self,
                io: &$crate::sys::Sock<mio::net::$socket>,
                buffer: &mut [u8],
            ) -> std::io::Result<usize> {
                $crate::net::datagram::or_end(&self.ready, io.recv(buffer), || Ok(0))
            }

            /// The socket's pending error, which is then cleared.
            ///
            /// # Errors
            ///
            /// If the system fails to report it.
            #[inline]
            pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
                self.ready.get().take_error()
            }

            /// Waits until it may be possible to receive. Any number of tasks may wait in this way.
            ///
            /// # Errors
            ///
            /// If it is awaited outside of the loop in which the socket was made.
            #[inline]
            pub async fn readable(&self) -> std::io::Result<()> {
                self.ready.ready($crate::event_loop::Direction::Read).await
            }

            /// Waits until it may be possible to send. Any number of tasks may wait in this way.
            ///
            /// # Errors
            ///
            /// If it is awaited outside of the loop in which the socket was made.
            #[inline]
            pub async fn writable(&self) -> std::io::Result<()> {
                self.ready.ready($crate::event_loop::Direction::Write).await
            }

            #[inline]
            fn socket(&self) -> socket2::SockRef<'_> {
                socket2::SockRef::from(self.ready.get())
            }
        }
    };
}

pub(super) use datagrams;
