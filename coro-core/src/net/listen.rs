//! A listener of any kind, as servers use it: the trait `Listen`.

use std::io;
use std::net::SocketAddr;

use futures::io::{AsyncRead, AsyncWrite};

use super::{TcpListener, TcpStream};
#[cfg(unix)]
use super::{UnixListener, UnixStream};

pub(super) trait Listen: 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + 'static;
    type Peer: 'static;

    async fn accept(&self) -> io::Result<(Self::Stream, Self::Peer)>;

    /// The name of a connection's task.
    fn name(peer: &Self::Peer, number: u64) -> String;

    /// Prepares a stream that a protocol is to serve; gives the IP address of its other end, if it
    /// has one.
    fn prepare(_: &Self::Stream, _: &Self::Peer) -> Option<SocketAddr> {
        None
    }
}

impl Listen for TcpListener {
    type Stream = TcpStream;
    type Peer = SocketAddr;

    #[inline]
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self).await
    }

    #[inline]
    fn name(peer: &SocketAddr, _: u64) -> String {
        format!("connection {peer}")
    }

    #[inline]
    fn prepare(stream: &TcpStream, peer: &SocketAddr) -> Option<SocketAddr> {
        let _ = stream.set_nodelay(true); // fails only for a connection that is gone already
        Some(*peer)
    }
}

#[cfg(unix)]
impl Listen for UnixListener {
    type Stream = UnixStream;
    type Peer = std::os::unix::net::SocketAddr;

    #[inline]
    async fn accept(&self) -> io::Result<(UnixStream, Self::Peer)> {
        UnixListener::accept(self).await
    }

    #[inline]
    fn name(peer: &Self::Peer, number: u64) -> String {
        match peer.as_pathname() {
            Some(path) => format!("connection {}", path.display()),
            None => format!("connection {number}"),
        }
    }
}
