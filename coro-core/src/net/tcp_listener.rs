//! The listener that accepts TCP connections.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use futures::stream::{self, FusedStream};
use socket2::{Domain, Socket};

use super::TcpStream;
use super::macros::{descriptor_of_ready, from_and_into_std};
use super::pause::Pause;
use crate::event_loop::LoopHandle;
use crate::sys::{self, Sock};
use crate::wait::ready::RegisteredIo;

/// The number of connections that may wait to be accepted; the system may allow fewer. A client
/// connects without waiting for the accepting program, so a burst of clients needs room.
const BACKLOG: u32 = 4096;

/// A socket that accepts TCP connections. Dropping it closes it.
///
/// ```
/// use coro::net::{TcpListener, TcpStream};
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// coro::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0")?;
///     let mut client = TcpStream::connect(listener.local_addr()?).await?;
///     let (mut server, _) = listener.accept().await?;
///     server.write_all(b"hello").await?;
///     let mut greeting = [0; 5];
///     client.read_exact(&mut greeting).await?;
///     assert_eq!(&greeting, b"hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
pub struct TcpListener {
    ready: RegisteredIo<Sock<mio::net::TcpListener>>,
    pause: Pause,
}

impl TcpListener {
    /// Listens on the first of the addresses that can be bound; port 0 lets the system choose one.
    ///
    /// Give an address, such as `"127.0.0.1:8080"`: resolving a name here would hold up the loop.
    /// On Unix the address may be reused at once after an earlier listener has closed. For other
    /// settings, use the [builder of a server](super::Server::builder), or bind a socket of the crate
    /// `socket2` and pass it to [`from_std`](Self::from_std).
    ///
    /// # Errors
    ///
    /// If no address can be bound, the error of the last address.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "no address to listen at");
        for address in address.to_socket_addrs()? {
            match Self::bind_one(address) {
                Ok(listener) => return Ok(listener),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    #[track_caller]
    #[inline]
    fn bind_one(address: SocketAddr) -> io::Result<Self> {
        let socket = Self::socket_at(address)?;
        Self::listen(socket, address, BACKLOG)
    }

    /// A socket for an address, which may be used again soon after an earlier listener.
    #[inline]
    pub(super) fn socket_at(address: SocketAddr) -> io::Result<Socket> {
        let socket = sys::stream_socket(Domain::for_address(address))?;
        // On other systems this option would allow two sockets at one address.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        Ok(socket)
    }

    #[track_caller]
    #[inline]
    pub(super) fn listen(socket: Socket, address: SocketAddr, backlog: u32) -> io::Result<Self> {
        Self::new(match LoopHandle::simulated_host() {
            None => Sock::listen_real(socket, address, backlog)?,
            #[cfg(feature = "simulation")]
            Some(host) => Sock::listen_simulated(&host, socket, address, backlog)?,
        })
    }

    #[track_caller]
    #[inline]
    fn new(io: Sock<mio::net::TcpListener>) -> io::Result<Self> {
        Ok(TcpListener {
            ready: RegisteredIo::new(io)?,
            pause: Pause::default(),
        })
    }

    /// Waits for a connection. Gives the connection and the address of its other end.
    ///
    /// A connection that broke before it could be accepted, or that a firewall forbids, is skipped.
    /// If the process has no descriptor or memory for a connection, or the system cannot give one
    /// for now, the listener reports that
    /// ([`AcceptPaused`](crate::report::ReportKind::AcceptPaused)) and tries again after a pause of
    /// 10 ms to a second, until it succeeds. Meanwhile connections wait in the system's queue. The
    /// listener reports again only after it has accepted all queued connections. Dropping the wait
    /// loses no connection. Any number of tasks may accept from one listener.
    ///
    /// # Errors
    ///
    /// If no accept can ever succeed again: the socket was shut down, or its descriptor closed. A
    /// loop over this method may end at the first error.
    #[inline]
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let make = |(io, peer)| Ok((TcpStream::new(io)?, peer));
        let has_empty_queue = Sock::<mio::net::TcpListener>::has_empty_queue;
        self.pause
            .accept(&self.ready, |io| io.accept(), has_empty_queue, make)
            .await
    }

    /// The connections, one after another, as a stream that never ends.
    ///
    /// Its items are the results of [`accept`](Self::accept).
    #[inline]
    pub fn incoming(&self) -> impl FusedStream<Item = io::Result<TcpStream>> {
        stream::unfold(self, |listener| async move {
            Some((listener.accept().await.map(|(stream, _)| stream), listener))
        })
    }

    /// The address that the listener listens on.
    ///
    /// # Errors
    ///
    /// If the system does not give the address.
    #[inline]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.ready.get().local_addr()
    }

    /// Closes a listener that no other process has, so that its port is free at once.
    #[inline]
    pub(crate) fn close(self) {
        self.ready.get().stop_listening();
    }
}

from_and_into_std!(TcpListener, mio::net::TcpListener, std::net::TcpListener);
descriptor_of_ready!(TcpListener);
