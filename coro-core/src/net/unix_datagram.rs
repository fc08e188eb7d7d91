//! Unix sockets for datagrams, within the machine.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use super::Datagram;
use super::datagram::{datagrams, or_end};
use super::macros::{buffer_sizes, descriptor_of_ready, from_and_into_std};
use super::pause::RetryDelay;
#[cfg(feature = "ancillary")]
use super::unix_rights::descriptor_passing;
use crate::event_loop::{Direction, LoopHandle};
use crate::sys::Sock;
use crate::wait::ready::RegisteredIo;

/// A Unix socket for datagrams. Dropping it closes it, but does not remove its file. Unix only.
///
/// Datagrams arrive in order, and none is lost: sending to a socket whose queue is full waits.
/// With the feature `ancillary` datagrams can carry descriptors as well as bytes.
///
/// ```
/// use coro::net::UnixDatagram;
///
/// coro::run(async {
///     let (ours, theirs) = UnixDatagram::pair()?;
///     ours.send(b"").await?;
///     ours.send(b"hello").await?;
///     let mut buffer = [0; 8];
///     assert_eq!(theirs.recv(&mut buffer).await?, 0); // an empty datagram, and no end
///     assert_eq!(theirs.recv(&mut buffer).await?, 5);
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
pub struct UnixDatagram {
    ready: RegisteredIo<Sock<mio::net::UnixDatagram>>,
}

impl UnixDatagram {
    /// A socket at a path, where it makes a file.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if there is a file already: if it is of an earlier run, remove it first.
    /// `InvalidInput` if the path is longer than such an address can be, about a hundred bytes.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::bind_addr(&SocketAddr::from_pathname(path)?)
    }

    /// A socket at an address, such as an abstract name.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    #[inline]
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        Self::new(match LoopHandle::simulated_host() {
            None => mio::net::UnixDatagram::bind_addr(address)?.into(),
            #[cfg(feature = "simulation")]
            Some(host) => host.unix_datagram(Some(address))?,
        })
    }

    /// A socket without an address: it can send, but other sockets cannot send to it.
    ///
    /// # Errors
    ///
    /// If the process has no free descriptors.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    #[inline]
    pub fn unbound() -> io::Result<Self> {
        Self::new(match LoopHandle::simulated_host() {
            None => mio::net::UnixDatagram::unbound()?.into(),
            #[cfg(feature = "simulation")]
            Some(host) => host.unix_datagram(None)?,
        })
    }

    /// Makes two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// If the process has no free descriptors.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    #[inline]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = match LoopHandle::simulated_host() {
            None => {
                let (one, other) = mio::net::UnixDatagram::pair()?;
                (one.into(), other.into())
            }
            #[cfg(feature = "simulation")]
            Some(host) => host.unix_datagram_pair()?,
        };
        Ok((Self::new(one)?, Self::new(other)?))
    }

    #[track_caller]
    #[inline]
    fn new(io: Sock<mio::net::UnixDatagram>) -> io::Result<Self> {
        Ok(UnixDatagram {
            ready: RegisteredIo::new(io)?,
        })
    }

    /// Connects the socket to the one at this path: it sends only to that, and receives only from
    /// it.
    ///
    /// # Errors
    ///
    /// If there is no such socket.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.ready.get().connect(path)
    }

    /// Sends a datagram to the socket at a path. Dropping the future sends nothing.
    ///
    /// Without a connection, the system does not announce when the other socket's queue has room
    /// again. While the queue is full, this tries again, at first up to a thousand times a second,
    /// later twenty times. A [connected](Self::connect) socket does not need that.
    ///
    /// # Errors
    ///
    /// If there is no such socket, or the datagram is too long.
    pub async fn send_to(&self, bytes: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        let mut retry = RetryDelay::default();
        loop {
            match self.ready.get().send_to(bytes, path.as_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => retry.pause().await,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => return sent,
            }
        }
    }

    /// Receives a datagram; gives its length and its sender. As [`recv`](Self::recv) otherwise.
    ///
    /// # Errors
    ///
    /// As for [`recv`](Self::recv).
    #[inline]
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let receive = |io: &Sock<mio::net::UnixDatagram>| {
            or_end(&self.ready, io.recv_from(buffer), || Ok((0, unnamed()?)))
        };
        self.ready.io(Direction::Read, receive).await
    }

    /// Receives a datagram, and reports whether the buffer was too short for it.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// As for [`recv`](Self::recv).
    #[inline]
    pub async fn recv_datagram(&self, buffer: &mut [u8]) -> io::Result<Datagram<SocketAddr>> {
        let receive = |io: &_| {
            let received = Sock::<mio::net::UnixDatagram>::recv_datagram(io, buffer);
            let end = || Ok((0, unnamed()?, false));
            let received = or_end(&self.ready, received, end);
            let (len, from, truncated) = received?;
            Ok(Datagram {
                len,
                from,
                truncated,
            })
        };
        self.ready.io(Direction::Read, receive).await
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

    /// The address that it is connected to.
    ///
    /// # Errors
    ///
    /// If it is not connected.
    #[inline]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.ready.get().peer_addr()
    }

    /// Shuts down receiving, sending or both.
    ///
    /// Receives then give what is left, and after that 0 at once, from no address, as those of the
    /// standard library do that block; also those that wait already.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    #[inline]
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.ready.get().shutdown(how)
    }
}

/// The address of a socket without a name.
#[inline]
fn unnamed() -> io::Result<SocketAddr> {
    SocketAddr::from_pathname("")
}

datagrams!(UnixDatagram);
buffer_sizes!(UnixDatagram);
#[cfg(feature = "ancillary")]
descriptor_passing!(UnixDatagram);
from_and_into_std!(
    UnixDatagram,
    mio::net::UnixDatagram,
    std::os::unix::net::UnixDatagram
);
descriptor_of_ready!(UnixDatagram);
