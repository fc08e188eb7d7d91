//! `SharedPort`: one port, at which the servers of several cores serve.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use std::sync::Arc;

use socket2::Socket;

use super::round_robin::RoundRobin;
use crate::event_loop::LoopHandle;
use crate::net::{HandlerOutput, Server, ServerBuilder, TcpStream};

/// A port that the servers of several loops share: each connection goes to one of them.
///
/// It is bound once, before the cores begin. Each core starts a [`Server`] on it, with a handler
/// that stays on its thread.
///
/// ```
/// use coro::cores::{Builder, SharedPort};
/// use coro::io::{AsyncReadExt, AsyncWriteExt};
/// use coro::net::{TcpStream, open_connection};
/// use std::time::Duration;
///
/// let port = SharedPort::bind("127.0.0.1:0")?;
/// let ran = Builder::new().threads(2).run(async |core| {
///     let server = port.start(async |mut stream: TcpStream, _| stream.write_all(b"hello").await)?;
///     if core.index() == 0 {
///         let mut client = open_connection("127.0.0.1", port.local_addr().port()).await?;
///         let mut greeting = String::new();
///         client.read_to_string(&mut greeting).await?;
///         assert_eq!(greeting, "hello");
///         core.shut_down("it was the only client");
///     }
///     core.shutdown().cancelled().await; // Ctrl-C cancels it, too
///     server.shutdown(Duration::from_secs(5)).await;
///     std::io::Result::Ok(())
/// });
/// ran.unwrap();
/// # std::io::Result::Ok(())
/// ```
///
/// # How connections are spread
///
/// On Linux each server has a listening socket of its own at the port (`SO_REUSEPORT`), and the kernel
/// chooses one of them for each connection, by a hash of the two addresses. No thread is in between,
/// but few connections may be spread unevenly. A connection that waits in the queue of a socket is
/// broken off if its server closes.
///
/// On other systems one socket listens: the first core that starts a server accepts all connections,
/// and hands them round, to the next core that has room. [`bind_in_turn`](Self::bind_in_turn) does the
/// same on Linux: each core gets its share of few connections that live long.
#[doc(alias("share_port", "reuse_port", "SO_REUSEPORT"))]
pub struct SharedPort {
    addresses: Vec<SocketAddr>,
    way: Sharing,
}

enum Sharing {
    /// Each server listens. These sockets are bound and never listen: they keep the port.
    Kernel {
        _bound: Vec<Socket>,
    },
    InTurn(Arc<RoundRobin>),
}

impl SharedPort {
    /// Binds all of the addresses. Port 0 lets the system choose a port, the same for all cores.
    ///
    /// Give addresses, such as `"127.0.0.1:8080"`: a name would be resolved here, on this thread. On
    /// Linux a client is refused until the first server starts; elsewhere it waits.
    ///
    /// # Errors
    ///
    /// If an address cannot be bound. An address that this machine does not have is passed over, as
    /// long as another one remains.
    pub fn bind(addresses: impl ToSocketAddrs) -> io::Result<Self> {
        if cfg!(any(not(target_os = "linux"), coro_portable)) {
            return Self::bind_in_turn(addresses);
        }
        let bound = Server::builder().reuse_port(true).bind(addresses)?;
        Ok(SharedPort {
            addresses: addresses_of(&bound)?,
            way: Sharing::Kernel { _bound: bound },
        })
    }

    /// As [`bind`](Self::bind), but one core accepts all connections, and hands them round.
    ///
    /// A client that connects before the first server starts waits for it. If the loop that accepts
    /// closes before those of the other servers, these end with an error.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    #[doc(alias = "round_robin")]
    pub fn bind_in_turn(addresses: impl ToSocketAddrs) -> io::Result<Self> {
        let builder = Server::builder();
        let bound = builder.bind(addresses)?;
        let addresses = addresses_of(&bound)?;
        let listeners = builder.listen_by(bound)?;
        Ok(SharedPort {
            way: Sharing::InTurn(RoundRobin::new(addresses.clone(), listeners)),
            addresses,
        })
    }

    /// The address that was bound; the first, if there are several.
    #[inline]
    pub fn local_addr(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// All addresses that were bound.
    #[inline]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Has `handler` serve the connections that come to the present loop, as
    /// [`start_server`](crate::net::start_server) does.
    ///
    /// The server is the loop's own. When it closes, connections go to the servers of the other
    /// loops; when the last one has closed, nothing listens any more.
    ///
    /// # Errors
    ///
    /// If the system refuses to listen.
    ///
    /// # Panics
    ///
    /// Outside of a loop, and in a [simulation](crate::testing), whose hosts share no port.
    #[track_caller]
    pub fn start<H, R>(&self, handler: H) -> io::Result<Server>
    where
        H: AsyncFn(TcpStream, SocketAddr) -> R + 'static,
        R: HandlerOutput + 'static,
    {
        self.start_with(&Server::builder(), handler)
    }

    /// As [`start`](Self::start), with the settings of a builder. Its limit of connections holds for
    /// this server alone.
    ///
    /// ```
    /// use coro::cores::SharedPort;
    /// use coro::net::{Server, TcpStream};
    ///
    /// let port = SharedPort::bind("127.0.0.1:0")?;
    /// coro::run(async {
    ///     let settings = Server::builder().max_connections(1000);
    ///     let server = port.start_with(&settings, async |_: TcpStream, _| ())?;
    ///     assert_eq!(server.local_addr()?, port.local_addr());
    ///     std::io::Result::Ok(())
    /// })
    /// # .unwrap();
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the system refuses to listen.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[track_caller]
    pub fn start_with<H, R>(&self, builder: &ServerBuilder, handler: H) -> io::Result<Server>
    where
        H: AsyncFn(TcpStream, SocketAddr) -> R + 'static,
        R: HandlerOutput + 'static,
    {
        LoopHandle::refuse_in_simulation("port that loops share");
        match &self.way {
            Sharing::Kernel { .. } => {
                let builder = builder.clone().reuse_port(true);
                builder.start(&*self.addresses, handler)
            }
            Sharing::InTurn(round) => {
                let seat = round.clone().join(builder)?;
                let accept = async move || seat.accept().await;
                Ok(builder.start_from(self.addresses.clone(), accept, handler))
            }
        }
    }
}

#[inline]
fn addresses_of(bound: &[Socket]) -> io::Result<Vec<SocketAddr>> {
    let not_ip = || io::Error::other("the socket has no address of the internet");
    let address = |socket: &Socket| socket.local_addr()?.as_socket().ok_or_else(not_ip);
    bound.iter().map(address).collect()
}

impl fmt::Debug for SharedPort {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPort")
            .field("addresses", &self.addresses)
            .field("in_turn", &matches!(self.way, Sharing::InTurn(_)))
            .finish()
    }
}
