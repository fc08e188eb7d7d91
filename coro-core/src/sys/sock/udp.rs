//! UDP: a `Sock` for datagrams.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mio::net::UdpSocket;
use socket2::{Domain, Socket, Type};

use super::Sock;
#[cfg(feature = "simulation")]
use super::{SimulatedHost, told};
use crate::sys::cut;

impl Sock<UdpSocket> {
    /// A socket on a simulated host, at an address.
    #[cfg(feature = "simulation")]
    #[inline]
    pub(crate) fn bind_simulated(host: &SimulatedHost, address: SocketAddr) -> io::Result<Self> {
        let stand_in = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
        stand_in.set_nonblocking(true)?;
        let id = told(host.kernel.udp_socket(host.number, address))?;
        let stand_in = UdpSocket::from_std(stand_in.into());
        Ok(Sock::simulated(stand_in, &host.kernel, id))
    }

    #[inline]
    pub(crate) fn connect(&self, to: SocketAddr) -> io::Result<()> {
        match self {
            Sock::Real(io) => io.connect(to),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => told(socket.kernel.connect_udp(socket.id, to)),
        }
    }

    #[inline]
    pub(crate) fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        match self {
            Sock::Real(io) => io.send_to(bytes, to),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.send_simulated(bytes, Some(to)),
        }
    }

    #[inline]
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sock::Real(io) => io.send(bytes),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.send_simulated(bytes, None),
        }
    }

    #[cfg(feature = "simulation")]
    #[cold]
    #[inline(never)]
    fn send_simulated(&self, bytes: &[u8], to: Option<SocketAddr>) -> io::Result<usize> {
        match self {
            Sock::Real(_) => Ok(0), // the callers have looked
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => told(socket.kernel.send_to(socket.id, bytes, to)),
        }
    }

    #[inline]
    pub(crate) fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self {
            Sock::Real(io) => cut::recv_from(io, buffer),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.take(buffer, false).map(|(len, from, _)| (len, from)),
        }
    }

    #[inline]
    pub(crate) fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Sock::Real(io) => cut::recv(io, buffer),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.take(buffer, false).map(|(len, ..)| len),
        }
    }

    #[inline]
    pub(crate) fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self {
            Sock::Real(io) => cut::peek_from(io, buffer),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.take(buffer, true).map(|(len, from, _)| (len, from)),
        }
    }

    #[inline]
    pub(crate) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Sock::Real(io) => cut::peek(io, buffer),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.take(buffer, true).map(|(len, ..)| len),
        }
    }

    /// Receives one datagram: the length that fitted, its sender, whether its end was cut off.
    #[inline]
    pub(crate) fn recv_datagram(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr, bool)> {
        match self {
            Sock::Real(io) => cut::recv_datagram(io, buffer),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.take(buffer, false),
        }
    }

    #[cfg(feature = "simulation")]
    #[cold]
    #[inline(never)]
    fn take(&self, buffer: &mut [u8], peek: bool) -> io::Result<(usize, SocketAddr, bool)> {
        match self {
            Sock::Real(_) => Err(io::ErrorKind::WouldBlock.into()), // the callers have looked
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => told(socket.kernel.receive_from(socket.id, buffer, peek)),
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
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Sock::Real(io) => io.take_error(),
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => socket.take_error(),
        }
    }

    #[inline]
    pub(crate) fn join_multicast_v4(&self, group: &Ipv4Addr, at: &Ipv4Addr) -> io::Result<()> {
        match self {
            Sock::Real(io) => io.join_multicast_v4(group, at),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.set_group((*group).into(), true),
        }
    }

    #[inline]
    pub(crate) fn leave_multicast_v4(&self, group: &Ipv4Addr, at: &Ipv4Addr) -> io::Result<()> {
        match self {
            Sock::Real(io) => io.leave_multicast_v4(group, at),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.set_group((*group).into(), false),
        }
    }

    #[inline]
    pub(crate) fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        match self {
            Sock::Real(io) => io.join_multicast_v6(group, interface),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.set_group((*group).into(), true),
        }
    }

    #[inline]
    pub(crate) fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        match self {
            Sock::Real(io) => io.leave_multicast_v6(group, interface),
            #[cfg(feature = "simulation")]
            Sock::Simulated(_) => self.set_group((*group).into(), false),
        }
    }

    #[cfg(feature = "simulation")]
    #[inline]
    fn set_group(&self, group: IpAddr, joins: bool) -> io::Result<()> {
        match self {
            Sock::Real(_) => Ok(()), // the callers have looked
            #[cfg(feature = "simulation")]
            Sock::Simulated(socket) => told(socket.kernel.set_group(socket.id, group, joins)),
        }
    }
}
