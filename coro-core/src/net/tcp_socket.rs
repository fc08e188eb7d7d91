//! A TCP socket before it listens or is connected.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use socket2::{Domain, SockRef, Socket};

use super::macros::socket_options;
use super::tcp_options::tcp_options;
use super::{TcpListener, TcpStream};
use crate::sys;

/// A TCP socket whose options are set before it listens or connects.
///
/// ```
/// use coro::net::TcpSocket;
///
/// coro::run(async {
///     let socket = TcpSocket::new_v4()?;
///     socket.set_reuse_address(true)?;
///     socket.bind("127.0.0.1:0".parse().unwrap())?;
///     let listener = socket.listen(128)?;
///
///     let client = TcpSocket::new_v4()?;
///     client.set_nodelay(true)?;
///     let client = client.connect(listener.local_addr()?).await?;
///     assert!(client.nodelay()?);
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
pub struct TcpSocket {
    socket: Socket,
}

impl TcpSocket {
    /// Makes an IPv4 socket.
    ///
    /// # Errors
    ///
    /// If the process has no free descriptors.
    pub fn new_v4() -> io::Result<Self> {
        Self::new(Domain::IPV4)
    }

    /// Makes an IPv6 socket.
    ///
    /// # Errors
    ///
    /// If the process has no free descriptors, or the system no IPv6.
    pub fn new_v6() -> io::Result<Self> {
        Self::new(Domain::IPV6)
    }

    fn new(domain: Domain) -> io::Result<Self> {
        let socket = sys::stream_socket(domain)?;
        Ok(TcpSocket { socket })
    }

    /// Makes a socket of the address's family.
    ///
    /// # Errors
    ///
    /// As for [`new_v4`](Self::new_v4) and [`new_v6`](Self::new_v6).
    pub fn for_address(address: SocketAddr) -> io::Result<Self> {
        Self::new(Domain::for_address(address))
    }

    /// Binds the socket to a local address; with port 0 the system chooses the port.
    ///
    /// # Errors
    ///
    /// If the address is in use, is not of this machine, or belongs to the other version of IP.
    pub fn bind(&self, address: SocketAddr) -> io::Result<()> {
        self.socket.bind(&address.into())
    }

    /// Listens at its address. Up to `backlog` connections wait to be accepted; beyond that, the
    /// system makes clients try again.
    ///
    /// # Errors
    ///
    /// If another socket listens at the same address.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        self.socket.listen(backlog)?;
        TcpListener::from_std(self.socket.into())
    }

    /// Connects to an address. Dropping the future closes the socket.
    ///
    /// # Errors
    ///
    /// As for [`TcpStream::connect`].
    ///
    /// # Panics
    ///
    /// When polled outside of a loop.
    pub async fn connect(self, address: SocketAddr) -> io::Result<TcpStream> {
        sys::begin_connect(&self.socket, &address.into())?;
        TcpStream::connecting(self.socket.into()).await
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    ///
    /// If the system fails to report it.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        sys::ip_address(self.socket.local_addr()?)
    }

    fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.socket)
    }
}

tcp_options!(TcpSocket);

socket_options! { TcpSocket:
    /// Whether the address may be used again soon after an earlier socket (`SO_REUSEADDR`).
    reuse_address, set_reuse_address: bool { reuse_address, set_reuse_address }
    /// Whether an IPv6 socket excludes IPv4 addresses (`IPV6_V6ONLY`).
    only_v6, set_only_v6: bool { only_v6, set_only_v6 }
}

#[cfg(all(
    unix,
    not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
))]
socket_options! { TcpSocket:
    /// Whether several sockets may listen at the same address, and share the connections
    /// (`SO_REUSEPORT`).
    reuse_port, set_reuse_port: bool { reuse_port, set_reuse_port }
}

#[cfg(target_os = "linux")]
impl TcpSocket {
    /// Uses only one network interface, such as `b"eth0"`; `None` allows any again
    /// (`SO_BINDTODEVICE`).
    ///
    /// # Errors
    ///
    /// If there is no such interface, or the process lacks permission.
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        self.socket.bind_device(interface)
    }

    /// The only network interface that it uses; `None` if it may use any.
    ///
    /// # Errors
    ///
    /// If the system fails to report it.
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        self.socket.device()
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for TcpSocket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(unix)]
impl std::os::fd::AsRawFd for TcpSocket {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.socket.as_raw_fd()
    }
}

#[cfg(windows)]
impl std::os::windows::io::AsSocket for TcpSocket {
    fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
        self.socket.as_socket()
    }
}

impl fmt::Debug for TcpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}
