//! TCP: a `Sock` of a stream, or of a listener.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, SockAddr, SockRef, Socket};

#[cfg(feature = "simulation")]
use super::{Simulated, SimulatedHost, told};
use super::{Sock, Transfer};
use crate::sys::{self, platform};

impl Transfer for TcpStream {
    #[inline]
    fn receive_real(&self, buffer: &mut [u8]) -> io::Result<usize> {
        platform::receive(self, buffer)
    }

    #[inline]
    fn send_real(&self, bytes: &[u8]) -> io::Result<usize> {
        broken_if_ended(platform::send(self, bytes))
    }

    #[inline]
    fn receive_real_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&mut &*self).read_vectored(buffers)
    }

    #[inline]
    fn send_real_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        broken_if_ended((&mut &*self).write_vectored(slices))
    }

    #[cfg(feature = "simulation")]
    #[inline]
    fn receive_simulated(
        socket: &Simulated<Self>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> io::Result<usize> {
        told(socket.kernel.receive(socket.id, buffers, false))
    }

    #[cfg(feature = "simulation")]
    #[inline]
    fn send_simulated(socket: &Simulated<Self>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        told(socket.kernel.send(socket.id, slices))
    }
}

/// A write after the end of writing is a broken pipe. Windows has a number of its own for that, to
/// which the standard library gives no kind.
#[inline]
fn broken_if_ended(sent: io::Result<usize>) -> io::Result<usize> {
    #[cfg(windows)]
    if let Err(error) = &sent
        && error.raw_os_error() == Some(10058)
    {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    sent
}

impl Sock<TcpStream> {
    /// Begins to connect a socket of the system, from a local address if one is given.
    pub(crate) fn connect_real(
        socket: Socket,
        local: Option<SocketAddr>,
        to: SocketAddr,
        prepare: impl FnOnce(&std::net::TcpStream) -> io::Result<()>,
    ) -> io::Result<Self> {
        if let Some(local) = local {
            socket.bind(&local.into())?;
        }
        let socket = std::net::TcpStream::from(socket);
        prepare(&socket)?;
        sys::begin_connect(&SockRef::from(&socket), &SockAddr::from(to))?;
        Ok(TcpStream::from_std(socket).into())
    }

    /// Begins to connect a socket of a simulated host; `socket` stands in for it.
    #[cfg(feature = "simulation")]
    pub(crate) fn connect_simulated(
        host: &SimulatedHost,
        socket: Socket,
        local: Option<SocketAddr>,
        to: SocketAddr,
        prepare: impl FnOnce(&std::net::TcpStream) -> io::Result<()>,
    ) -> io::Result<Self> {
        let stand_in = std::net::TcpStream::from(socket);
        prepare(&stand_in)?;
        let kernel = &host.kernel;
        let id = told(kernel.tcp_socket(host.number))?;
        let made = Sock::simulated(TcpStream::from_std(stand_in), kernel, id);
        if let Some(local) = local {
            told(kernel.bind(id, local, false))?;
        }
        loop {
            match told(kernel.connect(id, to)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                begun => return begun.map(|()| made),
            }
        }
    }

    /// Whether an attempt to connect has succeeded; fails with "would block" while it is undecided.
    #[inline]
    pub(crate) fn is_connected(&self) -> io::Result<()> {
        match self {
            Sock::Real(io) => sys::is_connected(SockRef::from(io)),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => told(socket.kernel.is_connected(socket.id)),
        }
    }

    #[inline]
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Sock::Real(io) => io.local_addr(),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => told(socket.kernel.local_addr(socket.id)),
        }
    }

    #[inline]
    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Sock::Real(io) => io.peer_addr(),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => told(socket.kernel.peer_addr(socket.id)),
        }
    }

    #[inline]
    pub(crate) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Sock::Real(io) => io.peek(buffer),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => {
                let buffers = &mut [IoSliceMut::new(buffer)];
                told(socket.kernel.receive(socket.id, buffers, true))
            }
        }
    }

    /// Moves bytes of a file, as [`sys::send_file`].
    #[inline]
    pub(crate) fn send_file(&self, file: &File, offset: u64, len: u64) -> io::Result<usize> {
        match self {
            Sock::Real(io) => sys::send_file(io, file, offset, len),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => Err(io::ErrorKind::Unsupported.into()), // read, then write
        }
    }

    #[inline]
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Sock::Real(io) => io.take_error(),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => socket.take_error(),
        }
    }

    #[inline]
    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Sock::Real(io) => io.shutdown(how),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => {
                let (read, write) = (how != Shutdown::Write, how != Shutdown::Read);
                told(socket.kernel.shut(socket.id, read, write))
            }
        }
    }
}

#[cfg(feature = "simulation")]
impl<M: super::Opened> Simulated<M> {
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        let error = told(self.kernel.take_error(self.id))?;
        Ok(error.and_then(|error| told::<()>(Err(error)).err()))
    }
}

impl Sock<TcpListener> {
    /// Has a socket of the system listen at an address.
    #[inline]
    pub(crate) fn listen_real(
        socket: Socket,
        address: SocketAddr,
        backlog: u32,
    ) -> io::Result<Self> {
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        Ok(TcpListener::from_std(socket.into()).into())
    }

    /// Listens on a simulated host; `socket` stands in for the listener's.
    #[cfg(feature = "simulation")]
    #[inline]
    pub(crate) fn listen_simulated(
        host: &SimulatedHost,
        socket: Socket,
        address: SocketAddr,
        backlog: u32,
    ) -> io::Result<Self> {
        let kernel = &host.kernel;
        let shares_port = shares_port(&socket);
        let id = told(kernel.tcp_socket(host.number))?;
        let made = Sock::simulated(TcpListener::from_std(socket.into()), kernel, id);
        told(kernel.bind(id, address, shares_port))?;
        told(kernel.listen(id, backlog))?;
        Ok(made)
    }

    /// Whether no connection waits to be accepted, as far as that is told cheaply.
    #[inline]
    pub(crate) fn has_empty_queue(&self) -> bool {
        match self {
            Sock::Real(io) => sys::has_empty_queue(io),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => false,
        }
    }

    /// Before it is closed: gives the port free at once, where the system can.
    #[inline]
    pub(crate) fn stop_listening(&self) {
        match self {
            Sock::Real(io) => sys::stop_listening(io),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => {}
        }
    }

    #[inline]
    pub(crate) fn accept(&self) -> io::Result<(Sock<TcpStream>, SocketAddr)> {
        match self {
            Sock::Real(io) => io.accept().map(|(stream, peer)| (stream.into(), peer)),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => {
                let (id, peer) = told(socket.kernel.accept(socket.id))?;
                let stand_in = sys::stream_socket(Domain::for_address(peer))?;
                let stand_in = TcpStream::from_std(stand_in.into());
                Ok((Sock::simulated(stand_in, &socket.kernel, id), peer))
            }
        }
    }

    #[inline]
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Sock::Real(io) => io.local_addr(),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => told(socket.kernel.local_addr(socket.id)),
        }
    }
}

/// Whether the socket was set to share its port.
#[cfg(feature = "simulation")]
#[inline]
fn shares_port(socket: &Socket) -> bool {
    #[cfg(all(
        unix,
        not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
    ))]
    return socket.reuse_port().unwrap_or(false);
    #[cfg(not(all(
        unix,
        not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
    )))]
    {
        let _ = socket;
        false
    }
}
