//! UDP sockets.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use super::Datagram;
use super::datagram::{datagrams, no_sender, or_end};
use super::hops;
use super::macros::{buffer_sizes, descriptor_of_ready, from_and_into_std, socket_options};
use crate::event_loop::{Direction, LoopHandle};
#[cfg(feature = "simulation")]
use crate::sys::SimulatedHost;
use crate::sys::Sock;
use crate::wait::ready::RegisteredIo;

/// A UDP socket. Dropping it closes it.
///
/// Any number of tasks may send and receive on one socket, through shared references.
///
/// UDP may lose, duplicate or reorder datagrams. The socket itself loses no data silently, with one
/// exception: [`recv`](Self::recv) and [`recv_from`](Self::recv_from) cut off the end of a datagram
/// that is longer than the buffer. [`recv_datagram`](Self::recv_datagram) reports that.
///
/// Other options, and those that have to be set before binding, such as reuse of the address, are
/// set by `socket2`; then [`from_std`](Self::from_std) takes the socket over.
///
/// ```
/// use coro::net::UdpSocket;
///
/// coro::run(async {
///     let server = UdpSocket::bind("127.0.0.1:0")?;
///     let client = UdpSocket::bind("127.0.0.1:0")?;
///     client.connect(server.local_addr()?)?;
///     client.send(b"too long for the server").await?;
///
///     let mut buffer = [0; 8];
///     let datagram = server.recv_datagram(&mut buffer).await?;
///     assert_eq!(&buffer[..datagram.len], b"too long");
///     assert!(datagram.truncated);
///     server.send_to(b"cut", datagram.from).await?;
///     assert_eq!(client.recv(&mut buffer).await?, 3);
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
pub struct UdpSocket {
    pub(super) ready: RegisteredIo<Sock<mio::net::UdpSocket>>,
}

impl UdpSocket {
    /// A socket at the first of the addresses that can be bound; with port 0 the system chooses the
    /// port.
    ///
    /// Give an address: resolving a name here would block the loop.
    ///
    /// # Errors
    ///
    /// If no address can be bound: the error of the last.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        #[cfg(feature = "simulation")]
        if let Some(host) = LoopHandle::simulated_host() {
            return Self::bind_simulated(&host, address.to_socket_addrs()?);
        }
        Self::from_std(std::net::UdpSocket::bind(address)?)
    }

    #[cfg(feature = "simulation")]
    #[track_caller]
    fn bind_simulated(
        host: &SimulatedHost,
        addresses: impl Iterator<Item = SocketAddr>,
    ) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "no address to bind");
        for address in addresses {
            match Sock::bind_simulated(host, address) {
                Ok(socket) => return Self::new(socket),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    #[track_caller]
    #[inline]
    fn new(io: Sock<mio::net::UdpSocket>) -> io::Result<Self> {
        Ok(UdpSocket {
            ready: RegisteredIo::new(io)?,
        })
    }

    /// Connects the socket to an address: it sends only to that, and receives only from it.
    ///
    /// No packets are exchanged. If no socket is there, a later operation fails with
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused); the socket stays usable.
    /// # Errors
    ///
    /// If there is no route to the address, or it belongs to the other version of IP.
    pub fn connect(&self, address: impl Into<SocketAddr>) -> io::Result<()> {
        self.ready.get().connect(address.into())
    }

    /// Sends a datagram to an address. Dropping the future sends nothing.
    ///
    /// # Errors
    ///
    /// If the datagram is too long, there is no route to the address, or an earlier datagram was
    /// refused.
    pub async fn send_to(&self, bytes: &[u8], address: impl Into<SocketAddr>) -> io::Result<usize> {
        let address = address.into();
        self.ready
            .io(Direction::Write, |io| io.send_to(bytes, address))
            .await
    }

    /// Receives a datagram; gives its length and its sender. As [`recv`](Self::recv) otherwise.
    ///
    /// # Errors
    ///
    /// As for [`recv`](Self::recv), and [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) when none is
    /// left after a shutdown of receiving.
    #[inline]
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let receive = |io: &Sock<mio::net::UdpSocket>| {
            or_end(&self.ready, io.recv_from(buffer), || Err(no_sender()))
        };
        self.ready.io(Direction::Read, receive).await
    }

    /// Receives a datagram, and reports whether the buffer was too short for it.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// As for [`recv_from`](Self::recv_from).
    #[inline]
    pub async fn recv_datagram(&self, buffer: &mut [u8]) -> io::Result<Datagram> {
        let receive = |io: &_| {
            let received = recv_datagram(io, buffer);
            or_end(&self.ready, received, || Err(no_sender()))
        };
        self.ready.io(Direction::Read, receive).await
    }

    /// Receives a datagram without removing it. As [`recv`](Self::recv) otherwise.
    ///
    /// # Errors
    ///
    /// As for [`recv`](Self::recv).
    #[inline]
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let peek = |io: &Sock<mio::net::UdpSocket>| or_end(&self.ready, io.peek(buffer), || Ok(0));
        self.ready.io(Direction::Read, peek).await
    }

    /// Receives a datagram and its sender without removing it.
    ///
    /// # Errors
    ///
    /// As for [`recv_from`](Self::recv_from).
    #[inline]
    pub async fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let peek = |io: &Sock<mio::net::UdpSocket>| {
            or_end(&self.ready, io.peek_from(buffer), || Err(no_sender()))
        };
        self.ready.io(Direction::Read, peek).await
    }

    /// Sends a datagram to an address, without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room; and as for
    /// [`send_to`](Self::send_to).
    pub fn try_send_to(&self, bytes: &[u8], address: impl Into<SocketAddr>) -> io::Result<usize> {
        let address = address.into();
        self.ready
            .try_transfer(Direction::Write, |io| io.send_to(bytes, address))
    }

    /// Receives a datagram and its sender, without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is none, as far as the loop knows; and as
    /// for [`recv`](Self::recv).
    #[inline]
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.ready
            .try_transfer(Direction::Read, |io| io.recv_from(buffer))
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

    /// Receives datagrams that are sent to a group, on the interface with this address; `0.0.0.0`
    /// for any.
    ///
    /// # Errors
    ///
    /// If `group` is not the address of a group, or there is no such interface.
    #[inline]
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.ready.get().join_multicast_v4(&group, &interface)
    }

    /// Stops receiving datagrams that are sent to a group.
    ///
    /// # Errors
    ///
    /// If the socket has not joined it.
    #[inline]
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.ready.get().leave_multicast_v4(&group, &interface)
    }

    /// Receives datagrams that are sent to a group, on the interface with this index; zero for any.
    ///
    /// # Errors
    ///
    /// If `group` is not the address of a group, or there is no such interface.
    #[inline]
    pub fn join_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> io::Result<()> {
        self.ready.get().join_multicast_v6(&group, interface)
    }

    /// Stops receiving datagrams that are sent to a group.
    ///
    /// # Errors
    ///
    /// If the socket has not joined it.
    #[inline]
    pub fn leave_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> io::Result<()> {
        self.ready.get().leave_multicast_v6(&group, interface)
    }

    /// Sends to groups on the interface with this address.
    ///
    /// # Errors
    ///
    /// If there is no such interface.
    #[inline]
    pub fn set_multicast_if_v4(&self, interface: Ipv4Addr) -> io::Result<()> {
        self.socket().set_multicast_if_v4(&interface)
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

    /// Uses only one network interface, such as `b"eth0"`; `None` allows any again
    /// (`SO_BINDTODEVICE`). Linux only.
    ///
    /// # Errors
    ///
    /// If there is no such interface, or the process lacks permission.
    #[cfg(target_os = "linux")]
    #[inline]
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        self.socket().bind_device(interface)
    }
}

#[inline]
fn recv_datagram(io: &Sock<mio::net::UdpSocket>, buffer: &mut [u8]) -> io::Result<Datagram> {
    let (len, from, truncated) = io.recv_datagram(buffer)?;
    Ok(Datagram {
        len,
        from,
        truncated,
    })
}

datagrams!(UdpSocket);
buffer_sizes!(UdpSocket);
socket_options! { UdpSocket:
    /// Whether it may send to all machines of the network at once (`SO_BROADCAST`).
    broadcast, set_broadcast: bool { broadcast, set_broadcast }
    /// Whether datagrams that it sends to an IPv4 group come back to this machine too.
    multicast_loop_v4, set_multicast_loop_v4: bool { multicast_loop_v4, set_multicast_loop_v4 }
    /// How many routers its datagrams to an IPv4 group may pass.
    multicast_ttl_v4, set_multicast_ttl_v4: u32 { multicast_ttl_v4, set_multicast_ttl_v4 }
    /// Whether datagrams that it sends to an IPv6 group come back to this machine too.
    multicast_loop_v6, set_multicast_loop_v6: bool { multicast_loop_v6, set_multicast_loop_v6 }
    /// The index of the interface on which it sends to IPv6 groups; zero for any.
    multicast_if_v6, set_multicast_if_v6: u32 { multicast_if_v6, set_multicast_if_v6 }
}
from_and_into_std!(UdpSocket, mio::net::UdpSocket, std::net::UdpSocket);
descriptor_of_ready!(UdpSocket);
