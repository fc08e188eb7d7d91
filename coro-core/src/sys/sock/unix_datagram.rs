//! A `Sock` for datagrams between Unix sockets.

use std::io;
#[cfg(feature = "ancillary")]
use std::os::fd::BorrowedFd;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use mio::net::UnixDatagram;

use super::Sock;
#[cfg(feature = "simulation")]
use super::told;
#[cfg(feature = "simulation")]
use super::unix::{address_of, name_of};
#[cfg(all(feature = "ancillary", feature = "simulation"))]
use super::unix::{along_of, received_of};
#[cfg(feature = "simulation")]
use crate::machine::{Along, UnixName, UnixReceived};
#[cfg(not(feature = "ancillary"))]
use crate::sys::cut::told_if_cut;
#[cfg(feature = "ancillary")]
use crate::sys::{self, Received};

impl Sock<UnixDatagram> {
    pub(crate) fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        match self {
            Sock::Real(io) => io.connect(path),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => {
                let name = name_of_path(path.as_ref())?;
                told(socket.kernel.unix_datagram_connect(socket.id, &name))
            }
        }
    }

    #[inline]
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sock::Real(io) => io.send(bytes),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.send_simulated(bytes, None, None),
        }
    }

    pub(crate) fn send_to(&self, bytes: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        match self {
            Sock::Real(io) => io.send_to(bytes, path),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => {
                let name = name_of_path(path.as_ref())?;
                self.send_simulated(bytes, None, Some(&name))
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
            Sock::Simulated(_) => self.send_simulated(bytes, along_of(descriptors)?, None),
        }
    }

    #[cfg(feature = "simulation")]
    #[cold]
    #[inline]
    fn send_simulated(
        &self,
        bytes: &[u8],
        along: Option<Along>,
        to: Option<&UnixName>,
    ) -> io::Result<usize> {
        match self {
            Sock::Real(_) => Ok(0), // the callers have looked
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => {
                let sent = socket
                    .kernel
                    .unix_send_datagram(socket.id, bytes, along, to);
                told(sent)
            }
        }
    }

    #[inline]
    pub(crate) fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Sock::Real(io) => io.recv(buffer),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => Ok(self.take(buffer)?.len),
        }
    }

    #[inline]
    pub(crate) fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self {
            Sock::Real(io) => io.recv_from(buffer),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => {
                let received = self.take(buffer)?;
                Ok((received.len, address_of(received.from)?))
            }
        }
    }

    #[inline]
    pub(crate) fn recv_datagram(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr, bool)> {
        match self {
            #[cfg(feature = "ancillary")]
            Sock::Real(io) => {
                let (len, from, is_cut) = sys::recv_datagram(io, buffer)?;
                Ok((len, sys::unix_sender(from)?, is_cut))
            }
            #[cfg(not(feature = "ancillary"))]
            Sock::Real(io) => told_if_cut(buffer, |longer| io.recv_from(longer)),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => {
                let received = self.take(buffer)?;
                Ok((received.len, address_of(received.from)?, received.is_cut))
            }
        }
    }

    #[cfg(feature = "ancillary")]
    #[inline]
    pub(crate) fn recv_descriptors(&self, bytes: &mut [u8], max: usize) -> io::Result<Received> {
        match self {
            Sock::Real(io) => sys::recv_descriptors(io, bytes, max),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => Ok(received_of(self.take(bytes)?, max)),
        }
    }

    #[cfg(feature = "simulation")]
    #[cold]
    #[inline]
    fn take(&self, buffer: &mut [u8]) -> io::Result<UnixReceived> {
        match self {
            Sock::Real(_) => Err(io::ErrorKind::WouldBlock.into()), // the callers have looked
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => told(socket.kernel.unix_receive_datagram(socket.id, buffer)),
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
}

#[cfg(feature = "simulation")]
#[inline]
fn name_of_path(path: &Path) -> io::Result<UnixName> {
    name_of(&SocketAddr::from_pathname(path)?)?.ok_or(io::ErrorKind::InvalidInput.into())
}
