//! The number of an open descriptor, with the address of its other end.

use std::net::SocketAddr;

/// An object that owns a descriptor, as a dump shows it, and as the poller knows it.
pub(crate) trait Described {
    /// The number of the descriptor; on Windows, of the socket.
    fn number(&self) -> i64;

    /// The address of the other end, if it is a connected Internet socket.
    fn peer(&self) -> Option<SocketAddr>;

    /// Has a poller that only imitates edges look at the descriptor again, after an operation that
    /// would have blocked. mio does that by itself only for operations that go through it.
    fn rearm(&self, at: &mio::Registry, token: mio::Token, interest: mio::Interest);
}

#[cfg(unix)]
impl<T: std::os::fd::AsFd> Described for T {
    fn number(&self) -> i64 {
        use std::os::fd::AsRawFd;

        self.as_fd().as_raw_fd().into()
    }

    fn peer(&self) -> Option<SocketAddr> {
        #[cfg(feature = "net")]
        return socket2::SockRef::from(self).peer_addr().ok()?.as_socket();
        #[cfg(not(feature = "net"))]
        None
    }

    fn rearm(&self, at: &mio::Registry, token: mio::Token, interest: mio::Interest) {
        use std::os::fd::AsRawFd;

        let fd = self.as_fd().as_raw_fd();
        let mut source = mio::unix::SourceFd(&fd);
        let _ = at.reregister(&mut source, token, interest); // a simulated socket is not registered
    }
}
