//! Unix sockets: a `Sock` of a stream, of a listener; the names of all of them.
//!
//! The files of simulated sockets are real: a bound one has a file that the program can see, and
//! remove, as those of the system have. A name without a file belongs to its host.

use std::fs;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
#[cfg(feature = "ancillary")]
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;

use mio::net::{UnixDatagram, UnixListener, UnixStream};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

#[cfg(feature = "simulation")]
use super::{Opened, Simulated, SimulatedHost, told};
use super::{Sock, Transfer};
#[cfg(feature = "simulation")]
use crate::machine::UnixName;
#[cfg(all(feature = "ancillary", feature = "simulation"))]
use crate::machine::{Along, UnixReceived};
#[cfg(feature = "ancillary")]
use crate::sys::Received;
use crate::sys::{self, platform};

/// The size of the longest write to a simulated Unix socket at once.
#[cfg(feature = "simulation")]
const WRITE_MAX: usize = 256 * 1024;

impl Transfer for UnixStream {
    #[inline]
    fn receive_real(&self, buffer: &mut [u8]) -> io::Result<usize> {
        platform::receive(self, buffer)
    }

    #[inline]
    fn send_real(&self, bytes: &[u8]) -> io::Result<usize> {
        platform::send(self, bytes)
    }

    #[inline]
    fn receive_real_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&mut &*self).read_vectored(buffers)
    }

    #[inline]
    fn send_real_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        (&mut &*self).write_vectored(slices)
    }

    #[cfg(feature = "simulation")]
    #[inline]
    fn receive_simulated(
        socket: &Simulated<Self>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> io::Result<usize> {
        Ok(told(socket.kernel.unix_receive(socket.id, buffers))?.len)
    }

    #[cfg(feature = "simulation")]
    #[inline]
    fn send_simulated(socket: &Simulated<Self>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut bytes = Vec::new();
        for slice in slices {
            let len = slice.len().min(WRITE_MAX - bytes.len());
            bytes.extend_from_slice(&slice[..len]);
        }
        told(socket.kernel.unix_send(socket.id, bytes, None))
    }
}

#[cfg(feature = "simulation")]
impl SimulatedHost {
    /// Connects a new socket to the listener at an address.
    #[inline]
    pub(crate) fn connect_unix(&self, address: &SocketAddr) -> io::Result<Sock<UnixStream>> {
        let name = name_of(address)?.ok_or(io::ErrorKind::InvalidInput)?;
        let id = told(self.kernel.unix_connect(self.number, &name))?;
        Ok(Sock::simulated(stand_in_stream()?, &self.kernel, id))
    }

    #[inline]
    pub(crate) fn unix_pair(&self) -> io::Result<(Sock<UnixStream>, Sock<UnixStream>)> {
        let (one, other) = told(self.kernel.unix_pair(self.number))?;
        let made =
            |id| -> io::Result<_> { Ok(Sock::simulated(stand_in_stream()?, &self.kernel, id)) };
        Ok((made(one)?, made(other)?))
    }

    #[inline]
    pub(crate) fn listen_unix(&self, address: &SocketAddr) -> io::Result<Sock<UnixListener>> {
        let stand_in = bound(Type::STREAM, address)?;
        let name = name_of(address)?.ok_or(io::ErrorKind::InvalidInput)?;
        let id = told(self.kernel.unix_listen(self.number, name))?;
        let stand_in = UnixListener::from_std(stand_in.into());
        Ok(Sock::simulated(stand_in, &self.kernel, id))
    }

    /// A socket for datagrams, at an address or without.
    #[inline]
    pub(crate) fn unix_datagram(
        &self,
        address: Option<&SocketAddr>,
    ) -> io::Result<Sock<UnixDatagram>> {
        let (stand_in, name) = match address {
            Some(address) => (bound(Type::DGRAM, address)?, name_of(address)?),
            None => (unbound(Type::DGRAM)?, None),
        };
        let id = told(self.kernel.unix_datagram(self.number, name))?;
        let stand_in = UnixDatagram::from_std(stand_in.into());
        Ok(Sock::simulated(stand_in, &self.kernel, id))
    }

    #[inline]
    pub(crate) fn unix_datagram_pair(
        &self,
    ) -> io::Result<(Sock<UnixDatagram>, Sock<UnixDatagram>)> {
        let (one, other) = told(self.kernel.unix_datagram_pair(self.number))?;
        let made = |id| -> io::Result<_> {
            let stand_in = UnixDatagram::from_std(unbound(Type::DGRAM)?.into());
            Ok(Sock::simulated(stand_in, &self.kernel, id))
        };
        Ok((made(one)?, made(other)?))
    }

    /// Whether a simulated socket has this path.
    #[inline]
    pub(crate) fn has_unix_socket(&self, path: &Path) -> bool {
        let name = SocketAddr::from_pathname(path).and_then(|address| name_of(&address));
        matches!(name, Ok(Some(name)) if self.kernel.has_unix_name(self.number, &name))
    }
}

#[cfg(feature = "simulation")]
#[inline]
fn unbound(of: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, of, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// A socket with the file of an address, if it is a path. It does not listen.
#[cfg(feature = "simulation")]
#[inline]
fn bound(of: Type, address: &SocketAddr) -> io::Result<Socket> {
    let socket = unbound(of)?;
    if let Some(path) = address.as_pathname() {
        socket.bind(&SockAddr::unix(path)?)?;
    }
    Ok(socket)
}

#[cfg(feature = "simulation")]
#[inline]
fn stand_in_stream() -> io::Result<UnixStream> {
    Ok(UnixStream::from_std(unbound(Type::STREAM)?.into()))
}

/// The name of an address, by which the simulated kernel knows it.
#[cfg(feature = "simulation")]
#[inline]
pub(super) fn name_of(address: &SocketAddr) -> io::Result<Option<UnixName>> {
    if let Some(path) = address.as_pathname() {
        let file = fs::metadata(path)?;
        let key = [file.dev().to_ne_bytes(), file.ino().to_ne_bytes()].concat();
        let shown = path.as_os_str().as_bytes();
        return Ok(Some(UnixName {
            key: key.into(),
            shown: shown.into(),
        }));
    }
    #[cfg(target_os = "linux")]
    if let Some(name) = std::os::linux::net::SocketAddrExt::as_abstract_name(address) {
        let shown: Rc<[u8]> = [&[0], name].concat().into();
        let key = shown.clone();
        return Ok(Some(UnixName { key, shown }));
    }
    Ok(None)
}

/// The address of a name; without one, the unnamed address.
#[cfg(feature = "simulation")]
#[inline]
pub(super) fn address_of(name: Option<UnixName>) -> io::Result<SocketAddr> {
    let shown = name.map_or(Rc::from([]), |name| name.shown);
    #[cfg(target_os = "linux")]
    if let Some(name) = shown.strip_prefix(&[0]) {
        use std::os::linux::net::SocketAddrExt;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(Path::new(std::ffi::OsStr::from_bytes(&shown)))
}

#[cfg(all(feature = "ancillary", feature = "simulation"))]
#[inline]
pub(super) fn along_of(descriptors: &[BorrowedFd<'_>]) -> io::Result<Option<Along>> {
    if descriptors.is_empty() {
        return Ok(None);
    }
    let copies = descriptors.iter().map(BorrowedFd::try_clone_to_owned);
    let copies: Vec<OwnedFd> = copies.collect::<io::Result<_>>()?;
    Ok(Some(Box::new(copies)))
}

/// What has come, with at most `max` of the descriptors that came along.
#[cfg(all(feature = "ancillary", feature = "simulation"))]
#[inline]
pub(super) fn received_of(received: UnixReceived, max: usize) -> Received {
    let along = received.along.and_then(|along| along.downcast().ok());
    let mut descriptors: Vec<OwnedFd> = along.map_or_else(Vec::new, |along| *along);
    let descriptors_cut = descriptors.len() > max;
    descriptors.truncate(max);
    Received {
        len: received.len,
        descriptors,
        descriptors_cut,
        bytes_cut: received.is_cut,
    }
}

impl Sock<UnixStream> {
    #[inline]
    pub(crate) fn is_connected(&self) -> io::Result<()> {
        match self {
            Sock::Real(io) => sys::is_connected(SockRef::from(io)),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => Ok(()), // it was connected at once
        }
    }

    /// Receives bytes; gives their number, and whether descriptors may have come along, which are
    /// closed. A plain read does not tell of them.
    #[inline]
    pub(crate) fn recv_bytes(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<(usize, bool)> {
        match self {
            #[cfg(feature = "ancillary")]
            Sock::Real(io) => sys::recv_bytes(io, buffers),
            #[cfg(not(feature = "ancillary"))]
            Sock::Real(io) => Ok((io.receive_real_vectored(buffers)?, true)),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => {
                let received = told(socket.kernel.unix_receive(socket.id, buffers))?;
                Ok((received.len, received.along.is_some()))
            }
        }
    }

    #[cfg(feature = "ancillary")]
    #[inline]
    pub(crate) fn recv_descriptors(&self, bytes: &mut [u8], max: usize) -> io::Result<Received> {
        match self {
            Sock::Real(io) => sys::recv_descriptors(io, bytes, max),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => {
                let buffers = &mut [IoSliceMut::new(bytes)];
                let received = told(socket.kernel.unix_receive(socket.id, buffers))?;
                Ok(received_of(received, max))
            }
        }
    }

    #[cfg(feature = "ancillary")]
    #[inline]
    pub(crate) fn send_descriptors(
        &self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<usize> {
        match self {
            Sock::Real(io) => sys::send_descriptors(io, bytes, descriptors),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => {
                let along = along_of(descriptors)?;
                told(socket.kernel.unix_send(socket.id, bytes.to_vec(), along))
            }
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

    /// The process at the other end, its user and its group.
    #[cfg(all(target_os = "linux", feature = "ancillary"))]
    #[inline]
    pub(crate) fn peer_credentials(&self) -> io::Result<(u32, u32, u32)> {
        match self {
            Sock::Real(io) => sys::peer_credentials(io),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => {
                let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
                Ok((std::process::id(), user.as_raw(), group.as_raw()))
            }
        }
    }
}

/// Defines the operations that Unix sockets with two ends have in common.
macro_rules! two_ends {
    ($socket:ident) => {
        impl Sock<$socket> {
            #[inline]
            pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
                match self {
                    Sock::Real(io) => io.local_addr(),
                    #[cfg(feature = "simulation")]
                    Sock::Simulated(socket) => {
                        address_of(told(socket.kernel.unix_names(socket.id))?.0)
                    }
                }
            }

            #[inline]
            pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
                match self {
                    Sock::Real(io) => io.peer_addr(),
                    #[cfg(feature = "simulation")]
                    Sock::Simulated(socket) => socket.peer_addr(),
                }
            }

            #[inline]
            pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                match self {
                    Sock::Real(io) => io.shutdown(how),
                    #[cfg(feature = "simulation")]
                    Sock::Simulated(socket) => {
                        let (read, write) = (how != Shutdown::Write, how != Shutdown::Read);
                        told(socket.kernel.unix_shut(socket.id, read, write))
                    }
                }
            }
        }
    };
}

two_ends!(UnixStream);
two_ends!(UnixDatagram);

#[cfg(feature = "simulation")]
impl<M: Opened> Simulated<M> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        if !self.kernel.has_unix_peer(self.id) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        address_of(told(self.kernel.unix_names(self.id))?.1)
    }
}

impl Sock<UnixListener> {
    #[inline]
    pub(crate) fn accept(&self) -> io::Result<(Sock<UnixStream>, SocketAddr)> {
        match self {
            Sock::Real(io) => io.accept().map(|(stream, peer)| (stream.into(), peer)),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => {
                let id = told(socket.kernel.unix_accept(socket.id))?;
                let stream = Sock::simulated(stand_in_stream()?, &socket.kernel, id);
                Ok((stream, address_of(None)?))
            }
        }
    }

    #[inline]
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Sock::Real(io) => io.local_addr(),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => address_of(told(socket.kernel.unix_names(socket.id))?.0),
        }
    }
}
