//! Settings of a server.

#[cfg(feature = "hyper")]
use std::future::Future;
use std::io;
use std::iter;
use std::net::{SocketAddr, ToSocketAddrs};
use std::rc::Rc;

use socket2::Socket;

#[cfg(feature = "hyper")]
use super::accept::ByFutures;
use super::accept::{ByAsyncFn, ServeEach, accept_all};
use super::connections::Connections;
use super::{HandlerOutput, Server};
use crate::net::listen::Listen;
use crate::net::{TcpListener, TcpStream};

/// Settings of a [`Server`], made by [`Server::builder`].
///
/// ```
/// use coro::net::{Server, TcpStream};
/// use futures::AsyncWriteExt;
///
/// coro::run(async {
///     let server = Server::builder()
///         .backlog(256)
///         .max_connections(1000)
///         .start("127.0.0.1:0", async |mut stream: TcpStream, _peer| {
///             stream.write_all(b"hello").await
///         })?;
///     assert_eq!(server.connections(), 0);
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
#[derive(Debug, Clone)]
#[must_use = "it serves nobody before `start` is called"]
pub struct ServerBuilder {
    backlog: u32,
    reuse_port: bool,
    limit: Option<usize>,
}

impl ServerBuilder {
    #[inline]
    pub(super) fn new() -> Self {
        ServerBuilder {
            backlog: 1024,
            reuse_port: false,
            limit: None,
        }
    }

    /// How many connections the system keeps waiting to be accepted; 1024 by default.
    ///
    /// The system may have a lower limit of its own, and rounds as it likes.
    #[inline]
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.backlog = backlog;
        self
    }

    /// Lets other sockets with this setting listen on the same port (`SO_REUSEPORT`): sockets of
    /// other loops, each on a core of its own, among which Linux spreads the connections.
    ///
    /// [`start`](Self::start) fails on a system without this, such as Windows.
    #[inline]
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    /// Serves at most this number of connections at a time.
    ///
    /// The others wait in the system's queue until one ends. Without a limit the number of
    /// descriptors of the process is the limit; beyond that the server waits as
    /// [`TcpListener::accept`] does.
    ///
    /// # Panics
    ///
    /// If the limit is zero, with which no connection would ever be served.
    #[track_caller]
    #[inline]
    pub fn max_connections(mut self, limit: usize) -> Self {
        assert!(
            limit > 0,
            "a server for at most 0 connections would serve nobody: do not start one"
        );
        self.limit = Some(limit);
        self
    }

    /// Listens on all of the addresses, and serves each connection, as
    /// [`start_server`](super::start_server) does.
    ///
    /// # Errors
    ///
    /// Those of [`start_server`](super::start_server); and if the system refuses a setting.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn start<H, R>(&self, addresses: impl ToSocketAddrs, handler: H) -> io::Result<Server>
    where
        H: AsyncFn(TcpStream, SocketAddr) -> R + 'static,
        R: HandlerOutput + 'static,
    {
        self.start_on(self.listen(addresses)?, handler)
    }

    /// Serves each connection to listeners that were made before; their other settings stay.
    ///
    /// # Errors
    ///
    /// If the system does not tell their addresses.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn start_on<H, R>(
        &self,
        listeners: impl IntoIterator<Item = TcpListener>,
        handler: H,
    ) -> io::Result<Server>
    where
        H: AsyncFn(TcpStream, SocketAddr) -> R + 'static,
        R: HandlerOutput + 'static,
    {
        self.serve_on(listeners, ByAsyncFn(handler))
    }

    /// As [`start`](Self::start), with a function that gives the future of each connection.
    #[cfg(feature = "hyper")]
    #[track_caller]
    pub(crate) fn start_futures<F, R>(
        &self,
        addresses: impl ToSocketAddrs,
        serve: F,
    ) -> io::Result<Server>
    where
        F: Fn(TcpStream, SocketAddr) -> R + 'static,
        R: Future<Output: HandlerOutput + 'static> + 'static,
    {
        self.start_futures_on(self.listen(addresses)?, serve)
    }

    /// As [`start_on`](Self::start_on), with a function that gives the future of each connection.
    #[cfg(feature = "hyper")]
    #[track_caller]
    pub(crate) fn start_futures_on<F, R>(
        &self,
        listeners: impl IntoIterator<Item = TcpListener>,
        serve: F,
    ) -> io::Result<Server>
    where
        F: Fn(TcpStream, SocketAddr) -> R + 'static,
        R: Future<Output: HandlerOutput + 'static> + 'static,
    {
        self.serve_on(listeners, ByFutures(serve))
    }

    #[track_caller]
    fn serve_on(
        &self,
        listeners: impl IntoIterator<Item = TcpListener>,
        handler: impl ServeEach<TcpStream, SocketAddr>,
    ) -> io::Result<Server> {
        let addressed = |listener: TcpListener| Ok((listener.local_addr()?, listener));
        let listeners: io::Result<Vec<_>> = listeners.into_iter().map(addressed).collect();
        let listeners = listeners?;
        let addresses = listeners.iter().map(|it| it.0).collect();
        let named = listeners
            .into_iter()
            .map(|(address, listener)| (format!("listener {address}"), listener));
        Ok(self.serve(addresses, named, handler))
    }

    /// Serves each connection that `accept` gives, until it gives an error.
    #[track_caller]
    pub(crate) fn start_from<A, H, R>(
        &self,
        addresses: Vec<SocketAddr>,
        accept: A,
        handler: H,
    ) -> Server
    where
        A: AsyncFn() -> io::Result<(TcpStream, SocketAddr)> + 'static,
        H: AsyncFn(TcpStream, SocketAddr) -> R + 'static,
        R: HandlerOutput + 'static,
    {
        let name = match addresses.first() {
            Some(address) => format!("listener {address}"),
            None => "listener".to_owned(),
        };
        let listener = iter::once((name, Accepting(accept)));
        self.serve(addresses, listener, ByAsyncFn(handler))
    }

    #[track_caller]
    pub(super) fn serve<L: Listen>(
        &self,
        addresses: Vec<SocketAddr>,
        listeners: impl Iterator<Item = (String, L)>,
        handler: impl ServeEach<L::Stream, L::Peer>,
    ) -> Server {
        let connections = Connections::new(self.limit);
        let handler = Rc::new(handler);
        for (name, listener) in listeners {
            let accepting = accept_all(listener, handler.clone(), connections.clone());
            connections.listen(name, accepting);
        }
        Server {
            addresses,
            connections,
        }
    }

    #[track_caller]
    fn listen(&self, addresses: impl ToSocketAddrs) -> io::Result<Vec<TcpListener>> {
        each_of(addresses, |address, only_v6| {
            let socket = self.socket_at(address, only_v6)?;
            TcpListener::listen(socket, address, self.backlog)
        })
    }

    /// Sockets that are bound to the addresses, and do not listen yet.
    pub(crate) fn bind(&self, addresses: impl ToSocketAddrs) -> io::Result<Vec<Socket>> {
        each_of(addresses, |address, only_v6| {
            let socket = self.socket_at(address, only_v6)?;
            socket.bind(&address.into())?;
            Ok(socket)
        })
    }

    /// Has bound sockets listen.
    #[inline]
    pub(crate) fn listen_by(&self, sockets: Vec<Socket>) -> io::Result<Vec<std::net::TcpListener>> {
        let listen = |socket: Socket| {
            socket.listen(i32::try_from(self.backlog).unwrap_or(i32::MAX))?;
            socket.set_nonblocking(true)?;
            Ok(socket.into())
        };
        sockets.into_iter().map(listen).collect()
    }

    #[inline]
    fn socket_at(&self, address: SocketAddr, only_v6: bool) -> io::Result<Socket> {
        let socket = TcpListener::socket_at(address)?;
        if self.reuse_port {
            share_port(&socket)?;
        }
        if only_v6 && address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        Ok(socket)
    }
}

/// Makes something of each address. Passes over the addresses that this machine does not have, as
/// long as another one remains. The second argument of `make` is whether a socket of IP version 6
/// must not listen for version 4.
#[track_caller]
fn each_of<T>(
    addresses: impl ToSocketAddrs,
    make: impl Fn(SocketAddr, bool) -> io::Result<T>,
) -> io::Result<Vec<T>> {
    let mut all: Vec<SocketAddr> = Vec::new();
    for address in addresses.to_socket_addrs()? {
        if !all.contains(&address) || address.port() == 0 {
            all.push(address);
        }
    }
    let only_v6 = all.iter().any(SocketAddr::is_ipv4);
    let mut made = Vec::new();
    let mut absent = None;
    for address in all {
        match make(address, only_v6) {
            Ok(one) => made.push(one),
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                absent = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    match (made.is_empty(), absent) {
        (false, _) => Ok(made),
        (true, Some(error)) => Err(error),
        (true, None) => Err(no_address()),
    }
}

/// A listener that another one feeds.
struct Accepting<A>(A);

impl<A> Listen for Accepting<A>
where
    A: AsyncFn() -> io::Result<(TcpStream, SocketAddr)> + 'static,
{
    type Stream = TcpStream;
    type Peer = SocketAddr;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        (self.0)().await
    }

    fn name(peer: &SocketAddr, number: u64) -> String {
        TcpListener::name(peer, number)
    }
}

#[cfg(all(
    unix,
    not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
))]
#[inline]
fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(all(
    unix,
    not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
)))]
#[inline]
fn share_port(_: &Socket) -> io::Result<()> {
    let message = "this system does not let listeners share a port";
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

#[inline]
fn no_address() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "there is no address to listen on",
    )
}
