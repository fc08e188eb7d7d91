//! A `Sock`: a socket of the operating system, or one of a simulated host.
//!
//! A simulated one has an unconnected socket of the system in its place, for everything that goes to
//! the descriptor: options are set and read there, and a transfer that goes around this crate finds
//! a socket that is not connected.

#[cfg(feature = "simulation")]
mod answer;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod unix_datagram;

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
#[cfg(windows)]
use std::os::windows::io::{AsRawSocket, AsSocket, BorrowedSocket, RawSocket};
#[cfg(feature = "simulation")]
use std::rc::Rc;
#[cfg(feature = "simulation")]
use std::time::Duration;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

#[cfg(feature = "simulation")]
use crate::machine::{HostNumber, Kernel, SocketId};
#[cfg(feature = "simulation")]
use answer::told;

/// A socket with a descriptor.
#[cfg(unix)]
pub(crate) trait Opened: AsFd {}
#[cfg(unix)]
impl<M: AsFd> Opened for M {}

/// A socket with a handle.
#[cfg(windows)]
pub(crate) trait Opened: AsSocket {
    /// Tells mio of an operation that did not go through it, and would have blocked.
    fn note_block(&self);
}

#[cfg(windows)]
impl Opened for mio::net::TcpStream {
    #[inline]
    fn note_block(&self) {
        let _ = self.try_io(would_block);
    }
}

#[cfg(windows)]
impl Opened for mio::net::UdpSocket {
    #[inline]
    fn note_block(&self) {
        let _ = self.try_io(would_block);
    }
}

#[cfg(windows)]
impl Opened for mio::net::TcpListener {
    #[inline]
    fn note_block(&self) {} // nothing but mio's own accept is called on a listener
}

#[cfg(windows)]
#[inline]
fn would_block() -> io::Result<()> {
    Err(io::ErrorKind::WouldBlock.into())
}

#[cfg(windows)]
impl<M: Opened> super::Described for Sock<M> {
    fn number(&self) -> i64 {
        self.as_raw_socket() as i64
    }

    fn peer(&self) -> Option<std::net::SocketAddr> {
        SockRef::from(self).peer_addr().ok()?.as_socket()
    }

    fn rearm(&self, _: &Registry, _: Token, _: Interest) {
        if let Sock::Real(io) = self {
            io.note_block();
        }
    }
}

pub(crate) enum Sock<M: Opened> {
    Real(M),
    #[cfg(feature = "simulation")]
    Simulated(Box<Simulated<M>>),
}

/// A socket of a simulated host. Dropping it closes it.
#[cfg(feature = "simulation")]
pub(crate) struct Simulated<M: Opened> {
    stand_in: M,
    kernel: Rc<Kernel>,
    id: SocketId,
}

/// A host of a simulation, as those see it who make sockets on it.
#[cfg(feature = "simulation")]
#[cfg(feature = "simulation")]
pub(crate) struct SimulatedHost {
    pub(crate) kernel: Rc<Kernel>,
    pub(crate) number: HostNumber,
}

/// There is none where simulations are left out.
#[cfg(not(feature = "simulation"))]
pub(crate) enum SimulatedHost {}

impl<M: Opened> From<M> for Sock<M> {
    #[inline]
    fn from(io: M) -> Self {
        Sock::Real(io)
    }
}

impl<M: Opened> Sock<M> {
    #[cfg(feature = "simulation")]
    fn simulated(stand_in: M, kernel: &Rc<Kernel>, id: SocketId) -> Self {
        Sock::Simulated(Box::new(Simulated {
            stand_in,
            kernel: kernel.clone(),
            id,
        }))
    }

    /// The system's socket, to be given away.
    ///
    /// # Panics
    ///
    /// If it is simulated.
    #[track_caller]
    pub(crate) fn into_real(self) -> M {
        match self {
            Sock::Real(io) => io,
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => panic!(
                "a socket of a simulated host is none of the operating system's, so it cannot be \
                 taken out by into_std(): use it as it is, or write the test with \
                 `#[coro::test(real)]`"
            ),
        }
    }

    fn io(&self) -> &M {
        match self {
            Sock::Real(io) => io,
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => &socket.stand_in,
        }
    }

    /// Whether the socket was shut down for receiving, so that no event will ever end a wait.
    #[cfg(unix)]
    pub(crate) fn is_shut_for_receiving(&self) -> bool {
        match self {
            Sock::Real(io) => super::is_shut_for_receiving(io),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => socket.kernel.is_read_shut(socket.id),
        }
    }
}

#[cfg(feature = "simulation")]
impl<M: Opened> Drop for Simulated<M> {
    fn drop(&mut self) {
        let linger = SockRef::from(&self.stand_in).linger();
        let aborts = matches!(linger, Ok(Some(Duration::ZERO)));
        self.kernel.close(self.id, aborts);
    }
}

impl<M: Opened + Source> Source for Sock<M> {
    fn register(&mut self, at: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        match self {
            Sock::Real(io) => io.register(at, token, interests),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => {
                socket.kernel.register(socket.id, Some(token.0));
                Ok(())
            }
        }
    }

    fn reregister(&mut self, at: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        match self {
            Sock::Real(io) => io.reregister(at, token, interests),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.register(at, token, interests),
        }
    }

    fn deregister(&mut self, at: &Registry) -> io::Result<()> {
        match self {
            Sock::Real(io) => io.deregister(at),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => {
                socket.kernel.register(socket.id, None);
                Ok(())
            }
        }
    }
}

#[cfg(unix)]
impl<M: Opened> AsFd for Sock<M> {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io().as_fd()
    }
}

#[cfg(unix)]
impl<M: Opened> AsRawFd for Sock<M> {
    #[inline]
    fn as_raw_fd(&self) -> RawFd {
        self.io().as_fd().as_raw_fd()
    }
}

#[cfg(windows)]
impl<M: Opened> AsSocket for Sock<M> {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.io().as_socket()
    }
}

#[cfg(windows)]
impl<M: Opened> AsRawSocket for Sock<M> {
    fn as_raw_socket(&self) -> RawSocket {
        self.io().as_socket().as_raw_socket()
    }
}

impl<M: Opened + fmt::Debug> fmt::Debug for Sock<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sock::Real(io) => io.fmt(f),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => f.debug_tuple("Simulated").field(&socket.id).finish(),
        }
    }
}

/// Reads from and writes to streams, in one buffer or in several.
pub(crate) trait Transfer: Opened {
    fn receive_real(&self, buffer: &mut [u8]) -> io::Result<usize>;
    fn send_real(&self, bytes: &[u8]) -> io::Result<usize>;
    fn receive_real_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize>;
    fn send_real_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
    #[cfg(feature = "simulation")]
    fn receive_simulated(
        socket: &Simulated<Self>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> io::Result<usize>
    where
        Self: Sized;
    #[cfg(feature = "simulation")]
    fn send_simulated(socket: &Simulated<Self>, slices: &[IoSlice<'_>]) -> io::Result<usize>
    where
        Self: Sized;
}

/// Receives bytes from a stream.
#[inline]
pub(crate) fn receive<M: Transfer>(io: &Sock<M>, buffer: &mut [u8]) -> io::Result<usize> {
    match io {
        Sock::Real(io) => io.receive_real(buffer),
        // The compiler sees that neither moves more than the buffer has, so that callers need no checks.
        #[cfg(feature = "simulation")]
        Sock::Simulated(socket) => match receive_simulated(socket, buffer) {
            Ok(moved) => Ok(moved.min(buffer.len())),
            error => error,
        },
    }
}

/// Sends bytes to a stream.
#[inline]
pub(crate) fn send<M: Transfer>(io: &Sock<M>, bytes: &[u8]) -> io::Result<usize> {
    match io {
        Sock::Real(io) => io.send_real(bytes),
        #[cfg(feature = "simulation")]
        Sock::Simulated(socket) => match send_simulated(socket, bytes) {
            Ok(moved) => Ok(moved.min(bytes.len())),
            error => error,
        },
    }
}

#[cfg(feature = "simulation")]
#[cold]
#[inline(never)]
fn receive_simulated<M: Transfer>(socket: &Simulated<M>, buffer: &mut [u8]) -> io::Result<usize> {
    M::receive_simulated(socket, &mut [IoSliceMut::new(buffer)])
}

#[cfg(feature = "simulation")]
#[cold]
#[inline(never)]
fn send_simulated<M: Transfer>(socket: &Simulated<M>, bytes: &[u8]) -> io::Result<usize> {
    M::send_simulated(socket, &[IoSlice::new(bytes)])
}

impl<M: Transfer> Read for &Sock<M> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        receive(self, buffer)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match self {
            Sock::Real(io) => io.receive_real_vectored(buffers),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => M::receive_simulated(socket, buffers),
        }
    }
}

impl<M: Transfer> Write for &Sock<M> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        send(self, bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Sock::Real(io) => io.send_real_vectored(slices),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => M::send_simulated(socket, slices),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
