//! A datagram, as it was received.

use std::io;
use std::net::SocketAddr;

#[cfg(unix)]
use crate::event_loop::Direction;
use crate::wait::ready::Ready;

/// What is known of a datagram that was received into a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Datagram<A = SocketAddr> {
    /// How many bytes of the buffer are of the datagram; zero is an empty datagram, and no end.
    pub len: usize,
    /// Who sent it.
    pub from: A,
    /// It was longer than the buffer, and the rest is lost.
    pub truncated: bool,
}

/// What was received; `end` in place of "would block" if the socket was shut down for receiving, as
/// then nothing would ever end the wait.
///
/// An event has to have said so first, so that the system is not asked each time nothing is there.
#[cfg(unix)]
pub(super) fn or_end<S: mio::event::Source + std::os::fd::AsFd, T>(
    ready: &Ready<S>,
    received: io::Result<T>,
    end: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    match received {
        Err(error)
            if error.kind() == io::ErrorKind::WouldBlock
                && ready.has_ended(Direction::Read)
                && crate::sys::is_shut_for_receiving(ready.get()) =>
        {
            end()
        }
        other => other,
    }
}

/// Elsewhere the receive itself says so.
#[cfg(not(unix))]
pub(super) fn or_end<S: mio::event::Source, T>(
    _: &Ready<S>,
    received: io::Result<T>,
    _: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    received
}

/// The end of a receive that has to name a sender.
pub(super) fn no_sender() -> io::Error {
    let text = "the socket was shut down for receiving, so that there is no datagram and no sender";
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

/// Sending and receiving that datagram sockets have in common.
macro_rules! datagrams {
    ($socket:ident) => {
        impl $socket {
            /// Sends a datagram to the other end that the socket is connected to.
            ///
            /// Dropping the wait sends nothing. Any number of tasks may send and receive.
            ///
            /// # Errors
            ///
            /// If it is not connected, the datagram is too long, or an earlier one was refused.
            pub async fn send(&self, bytes: &[u8]) -> std::io::Result<usize> {
                self.ready
                    .io($crate::event_loop::Direction::Write, |io| io.send(bytes))
                    .await
            }

            /// Receives a datagram into a buffer, and gives its length.
            ///
            /// Zero is an empty datagram, and no end; but after a shutdown of receiving it is given at
            /// once whenever no datagram is left, also to a receive that waits already. What does not fit in the buffer is lost
            /// unseen: [`recv_datagram`](Self::recv_datagram) tells whether any was. Dropping the
            /// wait loses nothing.
            ///
            /// # Errors
            ///
            /// Whatever the system says. An error concerns one datagram, such as one of ours that
            /// was refused at the other end; the socket can be used on.
            pub async fn recv(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let receive = |io: &_| self.recv_or_end(io, buffer);
                self.ready
                    .io($crate::event_loop::Direction::Read, receive)
                    .await
            }

            /// Sends a datagram to the other end, without waiting.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if there is no room; and as for
            /// [`send`](Self::send).
            pub fn try_send(&self, bytes: &[u8]) -> std::io::Result<usize> {
                self.ready
                    .try_io($crate::event_loop::Direction::Write, |io| io.send(bytes))
            }

            /// Receives a datagram, without waiting.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if there is none, as far as the loop
            /// knows; and as for [`recv`](Self::recv).
            pub fn try_recv(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.ready
                    .try_io($crate::event_loop::Direction::Read, |io| {
                        self.recv_or_end(io, buffer)
                    })
            }

            fn recv_or_end(
                &self,
                io: &mio::net::$socket,
                buffer: &mut [u8],
            ) -> std::io::Result<usize> {
                $crate::net::datagram::or_end(&self.ready, io.recv(buffer), || Ok(0))
            }

            /// The error that has come for the socket and that nobody has been told yet; it is told
            /// once.
            ///
            /// # Errors
            ///
            /// If the system does not tell.
            pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
                self.ready.get().take_error()
            }

            /// Waits until it may be possible to receive. Any number of tasks may wait so.
            ///
            /// # Errors
            ///
            /// Outside of the loop in which it was made.
            pub async fn readable(&self) -> std::io::Result<()> {
                self.ready.ready($crate::event_loop::Direction::Read).await
            }

            /// Waits until it may be possible to send. Any number of tasks may wait so.
            ///
            /// # Errors
            ///
            /// Outside of the loop in which it was made.
            pub async fn writable(&self) -> std::io::Result<()> {
                self.ready.ready($crate::event_loop::Direction::Write).await
            }

            fn socket(&self) -> socket2::SockRef<'_> {
                socket2::SockRef::from(self.ready.get())
            }
        }
    };
}

pub(super) use datagrams;
