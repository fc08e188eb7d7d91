//! Servers: a handler for each connection.

mod accept;
mod builder;
mod connections;
mod hang_up;
mod outcome;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

pub use builder::ServerBuilder;
pub use hang_up::is_hang_up;
pub use outcome::HandlerOutput;
#[cfg(unix)]
pub use unix::start_unix_server;

use super::TcpStream;
use super::close_on_drop::CloseOnDrop;
use crate::wait::until::Until;
use connections::Connections;

/// Listens on all of the addresses, and has `handler` serve each connection.
///
/// The counterpart of `asyncio.start_server`. For each connection `handler` is called with its
/// stream and the address of its other end, inside of a task of its own,
/// called `connection` and that address. When the task ends its stream is closed; a handler that
/// has not read to the end makes sure by [`close_in_order`](super::close_in_order) that its answer
/// arrives. An error that it ends with, or a panic, goes to the loop's [exception
/// handler](crate::event_loop::LoopHandle::set_exception_handler) under that name, and harms
/// neither the server nor the other connections.
///
/// Connections belong to the [`Server`]: dropping it cuts them. [`Server::builder`] has more
/// settings, and [`Server`] says how it ends.
///
/// Give addresses, such as `"127.0.0.1:8080"` or `&[SocketAddr]`: resolving a name here would
/// block the loop; [`lookup_host`](super::lookup_host) does it beforehand. Port 0 lets the
/// system choose a port, another for each address. If addresses of both families are given, the
/// sockets of IP version 6 do not listen for version 4.
///
/// ```
/// use coro::net::{TcpStream, open_connection, start_server};
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use std::{io, net::SocketAddr};
///
/// async fn echo(stream: TcpStream, _peer: SocketAddr) -> io::Result<()> {
///     futures::io::copy(&stream, &mut &stream).await?;
///     Ok(())
/// }
///
/// coro::run(async {
///     let server = start_server("127.0.0.1:0", echo)?;
///     let mut client = open_connection("127.0.0.1", server.local_addr()?.port()).await?;
///     client.write_all(b"hello").await?;
///     client.close().await?;
///     let mut answer = String::new();
///     client.read_to_string(&mut answer).await?;
///     assert_eq!(answer, "hello");
///     io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// The handler is an `async fn`, an async closure, or a closure that gives a future. State that
/// connections share is captured, in an [`Rc`]: all of them run on one thread.
///
/// ```
/// use std::cell::Cell;
/// use std::io;
/// use std::rc::Rc;
///
/// use coro::io::{AsyncReadExt, AsyncWriteExt};
/// use coro::net::{TcpStream, open_connection, start_server};
///
/// coro::run(async {
///     let visits = Rc::new(Cell::new(0));
///     let counted = visits.clone();
///     let server = start_server("127.0.0.1:0", async move |mut stream: TcpStream, _peer| {
///         counted.set(counted.get() + 1);
///         stream.write_all(format!("visitor {}", counted.get()).as_bytes()).await
///     })?;
///     let mut client = open_connection("127.0.0.1", server.local_addr()?.port()).await?;
///     let mut answer = String::new();
///     client.read_to_string(&mut answer).await?;
///     assert_eq!(answer, "visitor 1");
///     assert_eq!(visits.get(), 1);
///     io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// If an address cannot be listened on. An address that this machine does not have is passed over,
/// as long as another one remains.
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
#[doc(alias = "serve")]
pub fn start_server<H, R>(addresses: impl ToSocketAddrs, handler: H) -> io::Result<Server>
where
    H: AsyncFn(TcpStream, SocketAddr) -> R + 'static,
    R: HandlerOutput + 'static,
{
    Server::builder().start(addresses, handler)
}

/// A running server, with the connections that it serves.
///
/// It accepts connections from the moment it is made. Its methods are those of asyncio's, and the
/// same as those of a [`ProtocolServer`](super::ProtocolServer). There are five ways to end it:
///
/// - [`shutdown`](Self::shutdown) stops listening, gives connections time to finish, and aborts
///   the connections that have not;
/// - [`close`](Self::close) stops listening, and lets connections live on for as long as they like;
///   [`wait_closed`](Self::wait_closed) waits for their end;
/// - dropping [`serve_forever`](Self::serve_forever) midway closes it;
/// - dropping it stops listening and aborts the connections, so that nothing outlives the scope
///   that the server was made in; in this it is unlike asyncio's;
/// - the end of the loop drops everything.
///
/// A connection is closed or aborted by cancelling its task: the handler's future is dropped in the
/// loop's next turn, and the stream in it closed. Nothing is buffered here, so the bytes that the
/// handler has written are sent all the same.
#[must_use = "dropping the server cuts its connections: keep it, and await `serve_forever` or `shutdown`"]
pub struct Server {
    addresses: Vec<SocketAddr>,
    connections: Rc<Connections>,
}

impl Server {
    /// Settings for a server that is different from a server of [`start_server`].
    #[inline]
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// The address that is, or was, listened on; the first, if there are several.
    ///
    /// # Errors
    ///
    /// If there is none, as for a server that does not listen for TCP.
    #[inline]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let none = || io::Error::new(io::ErrorKind::Unsupported, "it has no socket address");
        self.addresses.first().copied().ok_or_else(none)
    }

    /// All addresses that are, or were, listened on.
    #[inline]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// How many connections are being served.
    #[inline]
    pub fn connections(&self) -> usize {
        self.connections.count()
    }

    /// Whether the server listens: until it is closed, or its listening sockets have failed.
    #[inline]
    pub fn is_serving(&self) -> bool {
        self.connections.is_serving()
    }

    /// Serves until the server is closed and all its connections have ended.
    ///
    /// It serves whether this is awaited or not: this is for a coroutine that has nothing else to
    /// do. If it is dropped before that, it [closes](Self::close) the server, as in asyncio.
    ///
    /// # Errors
    ///
    /// If a listening socket has failed, so that no listener is left; at once, whatever connections
    /// there are. The loop's exception handler is told of every such failure too.
    #[inline]
    pub async fn serve_forever(&self) -> io::Result<()> {
        let _close = CloseOnDrop(|| self.close());
        self.connections.until_not_listening().await;
        self.connections.take_failure()?;
        self.wait_closed().await;
        Ok(())
    }

    /// Stops listening; connections live on.
    ///
    /// The listening sockets are closed in the loop's next turn. A connection that is accepted
    /// until then, or that still waits in the system's queue, is broken off. The second time it
    /// does nothing.
    #[inline]
    pub fn close(&self) {
        self.connections.close();
    }

    /// Waits until nothing listens any more, and the last connection has ended.
    ///
    /// It does not end before [`close`](Self::close) is called. A handler that awaits it waits
    /// for itself. Dropping the wait loses nothing.
    #[inline]
    pub async fn wait_closed(&self) {
        self.connections.until_over().await;
    }

    /// Closes every connection that is there, and gives how many there were; the server goes on
    /// listening.
    ///
    /// Bytes that a handler has written are not held back, so this is the same as
    /// [`abort_clients`](Self::abort_clients).
    #[inline]
    pub fn close_clients(&self) -> usize {
        self.connections.cut()
    }

    /// Ends every connection that is there, and gives how many there were; the server goes on
    /// listening.
    #[inline]
    pub fn abort_clients(&self) -> usize {
        self.connections.cut()
    }

    /// Stops listening, lets the connections finish for as long as `grace`, and then aborts the
    /// connections that have not. Gives how many it had to abort.
    ///
    /// A connection finishes in order if its handler does. A connection that is cut loses the bytes
    /// that it has not sent, and may lose the bytes that it sent last.
    ///
    /// When it returns every handler's future is gone and its stream closed. Tasks that handlers
    /// have spawned go on. A handler that awaits it waits for itself, and is cut.
    /// Dropping the wait leaves the server closed, and the connections to live on until it is
    /// dropped too.
    ///
    /// # Panics
    ///
    /// When it waits outside of a loop.
    #[inline]
    pub async fn shutdown(&self, grace: Duration) -> usize {
        self.close();
        if self.is_over_within(grace).await {
            return 0;
        }
        let cut = self.connections.cut();
        self.wait_closed().await;
        cut
    }

    #[inline]
    async fn is_over_within(&self, grace: Duration) -> bool {
        let mut over = pin!(self.wait_closed());
        let mut until = Until::After(grace);
        poll_fn(|cx| match over.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending => until.poll(cx).map(|()| false),
        })
        .await
    }
}

impl Drop for Server {
    #[inline]
    fn drop(&mut self) {
        self.connections.close();
        self.connections.cut();
    }
}

impl fmt::Debug for Server {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.addresses)
            .field("connections", &self.connections())
            .field("serving", &self.is_serving())
            .finish()
    }
}
