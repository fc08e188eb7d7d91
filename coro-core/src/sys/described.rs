//! The number of an open descriptor, with the address of its other end.

use std::net::SocketAddr;

/// An object that owns a descriptor, as a dump shows it.
pub(crate) trait Described {
    /// The number of the descriptor; on Windows, of the socket.
    fn number(&self) -> i64;

    /// The address of the other end, if it is a connected Internet socket.
    fn peer(&self) -> Option<SocketAddr>;
}

#[cfg(unix)]
impl<T: std::os::fd::AsFd> Described for T {
    fn number(&self) -> i64 {
        use std::os::fd::AsRawFd;

        self.as_fd().as_raw_fd().into()
    }

    fn peer(&self) -> Option<SocketAddr> {
        let peer = rustix::net::getpeername(self.as_fd()).ok()??;
        peer.try_into().ok()
    }
}

#[cfg(windows)]
impl<T: std::os::windows::io::AsSocket> Described for T {
    fn number(&self) -> i64 {
        use std::os::windows::io::AsRawSocket;

        self.as_socket().as_raw_socket() as i64
    }

    fn peer(&self) -> Option<SocketAddr> {
        socket2::SockRef::from(self).peer_addr().ok()?.as_socket()
    }
}

#[cfg(not(any(unix, windows)))]
impl<T> Described for T {
    fn number(&self) -> i64 {
        -1
    }

    fn peer(&self) -> Option<SocketAddr> {
        None
    }
}
