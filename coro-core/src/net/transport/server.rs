//! A server whose connections are served by protocols.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use slab::Slab;

use super::connection::Connection;
use super::{Protocol, Transport};
use crate::callbacks::CallbackTransport;
use crate::error::duplicate;
use crate::event_loop::LoopHandle;
use crate::net::TcpListener;
use crate::net::close_on_drop::CloseOnDrop;
use crate::net::listen::Listen;
use crate::report::ReportKind;
use crate::task::TaskHandle;
use crate::wait::queue::wake_each;
use crate::wait::turn::let_others_run;
use crate::wait::until::Until;

/// How many connections are accepted in a row before the other tasks have a turn.
const ACCEPTS_PER_STEP: u32 = 64;

/// Listens on an address, and serves each connection by a protocol of its own, made by `factory`.
/// The counterpart of `loop.create_server`.
///
/// The address is that of [`TcpListener::bind`]. It serves from now on until it is
/// [closed](ProtocolServer::close) or dropped. Small writes are sent at once (`TCP_NODELAY`). A
/// `factory` that panics is reported to the loop's exception handler, and its connection is closed.
///
/// ```
/// use coro::io::{AsyncReadExt, AsyncWriteExt};
/// use coro::net::{self, Protocol, Transport};
///
/// #[derive(Default)]
/// struct Echo(Option<Transport>);
///
/// impl Protocol for Echo {
///     fn connection_made(&mut self, transport: &Transport) {
///         self.0 = Some(transport.clone());
///     }
///
///     fn data_received(&mut self, data: &[u8]) {
///         if let Some(transport) = &self.0 {
///             transport.write(data);
///         }
///     }
/// }
///
/// coro::run(async {
///     let server = net::create_server(Echo::default, "127.0.0.1:0")?;
///     let mut client = net::TcpStream::connect(server.local_addr()?).await?;
///     client.write_all(b"hello").await?;
///     let mut answer = [0; 5];
///     client.read_exact(&mut answer).await?;
///     assert_eq!(&answer, b"hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// As for [`TcpListener::bind`].
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn create_server<P: Protocol>(
    factory: impl FnMut() -> P + 'static,
    address: impl ToSocketAddrs,
) -> io::Result<ProtocolServer> {
    create_server_on(factory, TcpListener::bind(address)?)
}

/// As [`create_server`], on a listener that was made before, such as one with options of its own.
///
/// ```
/// use coro::net::{self, Protocol, TcpListener};
///
/// struct Ignore;
///
/// impl Protocol for Ignore {
///     fn data_received(&mut self, _: &[u8]) {}
/// }
///
/// coro::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0")?;
///     let address = listener.local_addr()?;
///     let server = net::create_server_on(|| Ignore, listener)?;
///     assert_eq!(server.local_addr()?, address);
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// If the system does not tell the listener's address.
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn create_server_on<P: Protocol>(
    factory: impl FnMut() -> P + 'static,
    listener: TcpListener,
) -> io::Result<ProtocolServer> {
    let address = listener.local_addr()?;
    Ok(serve(factory, listener, Some(address)))
}

#[track_caller]
pub(super) fn serve<P: Protocol>(
    factory: impl FnMut() -> P + 'static,
    listener: impl Listen,
    address: Option<SocketAddr>,
) -> ProtocolServer {
    let clients = Rc::<Clients>::default();
    let serving = accept_all(listener, factory, clients.clone());
    let accepting = LoopHandle::current().spawn(serving);
    ProtocolServer {
        accepting: accepting.handle(),
        address,
        clients,
    }
}

/// A server that was made by [`create_server`] or
/// [`create_unix_server`](super::create_unix_server).
///
/// Its methods are the methods of a [`Server`](crate::net::Server), which says how it ends.
/// Dropping it stops listening and aborts its connections, so that nothing outlives the scope that
/// the server was made in; in this it is unlike asyncio's. [`shutdown`](Self::shutdown) is the
/// gentler end.
#[must_use = "dropping the server ends its connections: keep it, and await `serve_forever` or `shutdown`"]
pub struct ProtocolServer {
    accepting: TaskHandle,
    address: Option<SocketAddr>,
    clients: Rc<Clients>,
}

/// The connections of a server, for as long as they last.
#[derive(Default)]
struct Clients {
    connections: RefCell<Slab<Rc<Connection>>>,
    /// The listener is gone.
    closed: Cell<bool>,
    /// `close` was called.
    closing: Cell<bool>,
    /// The error of the listener, if that has failed.
    failure: RefCell<Option<io::Error>>,
    /// The tasks that wait until the listener and all connections are gone.
    waiting: RefCell<Vec<Waker>>,
}

impl ProtocolServer {
    /// The address that is listened on.
    ///
    /// # Errors
    ///
    /// If the server does not listen for TCP.
    #[inline]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let none = || io::Error::new(io::ErrorKind::Unsupported, "it has no socket address");
        self.address.ok_or_else(none)
    }

    /// How many connections there are.
    #[inline]
    pub fn connections(&self) -> usize {
        self.clients.connections.borrow().len()
    }

    /// Whether the server listens: until it is closed, or its listening socket has failed.
    #[inline]
    pub fn is_serving(&self) -> bool {
        !self.clients.closing.get() && !self.clients.closed.get()
    }

    /// Stops listening, in the loop's next turn. Present connections go on. The second time it does
    /// nothing.
    #[inline]
    pub fn close(&self) {
        self.clients.closing.set(true);
        self.accepting.cancel();
    }

    /// Closes every present connection in order, as [`Transport::close`] does; gives how many there
    /// were. The server goes on listening.
    #[inline]
    pub fn close_clients(&self) -> usize {
        self.clients.for_each(Connection::close)
    }

    /// Aborts every present connection; gives how many there were. The server goes on listening.
    #[inline]
    pub fn abort_clients(&self) -> usize {
        self.clients.for_each(Connection::abort)
    }

    /// Waits until the server was closed and all its connections have ended.
    ///
    /// Any number of tasks may wait. Dropping the wait changes nothing.
    #[inline]
    pub async fn wait_closed(&self) {
        poll_fn(|cx| self.clients.poll_gone(cx)).await;
    }

    /// Waits until the server is closed and all its connections have ended.
    ///
    /// It serves whether this is awaited or not: this is for a coroutine that has nothing else to
    /// do. If it is dropped before that, it [closes](Self::close) the server, as in asyncio.
    ///
    /// # Errors
    ///
    /// If the listening socket has failed; at once, whatever connections there are. That is
    /// reported to the loop's exception handler too.
    #[inline]
    pub async fn serve_forever(&self) -> io::Result<()> {
        let _close = CloseOnDrop(|| self.close());
        poll_fn(|cx| match self.clients.failure.take() {
            Some(failure) => Poll::Ready(Err(failure)),
            None => self.clients.poll_gone(cx).map(Ok),
        })
        .await
    }

    /// Stops listening, waits for the connections to end, and aborts the connections that have not
    /// ended after `grace`. Gives how many it had to abort. When this is done, the server is closed
    /// and has no connections.
    ///
    /// A connection that its protocol has closed ends when the other end has, as
    /// [`Transport::close`] says, which counts towards `grace`: then all bytes that were written to
    /// it have arrived. This does not close connections before it aborts them;
    /// [`close_clients`](Self::close_clients) does.
    ///
    /// Dropping the wait leaves the server closed, and its connections as they are.
    #[inline]
    pub async fn shutdown(&self, grace: Duration) -> usize {
        self.close();
        let mut until = Until::After(grace);
        poll_fn(|cx| match self.clients.poll_gone(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => until.poll(cx),
        })
        .await;
        let aborted = self.abort_clients();
        self.wait_closed().await;
        aborted
    }
}

impl Drop for ProtocolServer {
    #[inline]
    fn drop(&mut self) {
        self.close();
        self.abort_clients();
    }
}

impl fmt::Debug for ProtocolServer {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtocolServer")
            .field("address", &self.address)
            .field("connections", &self.connections())
            .field("serving", &self.is_serving())
            .finish()
    }
}

/// Accepts connections until the listener fails, which the loop then reports.
async fn accept_all<P: Protocol, L: Listen>(
    listener: L,
    mut factory: impl FnMut() -> P,
    clients: Rc<Clients>,
) -> io::Result<()> {
    let _closed = ClosedOnDrop(clients.clone());
    loop {
        for _ in 0..ACCEPTS_PER_STEP {
            let accepted = listener.accept().await;
            let (stream, peer) = accepted.inspect_err(|error| clients.fail(error))?;
            let peer = L::prepare(&stream, &peer);
            let of = LoopHandle::current();
            if let Ok(protocol) = of.contain(ReportKind::ProtocolPanicked, &mut factory) {
                let (transport, driver) = Transport::with_driver(stream, protocol, peer);
                let client = clients.admit(transport.connection());
                drop(of.spawn(async move {
                    let _client = client;
                    driver.await;
                }));
            }
        }
        let_others_run().await;
    }
}

/// Notes that the listener is gone, also if its task was cancelled.
struct ClosedOnDrop(Rc<Clients>);

impl Drop for ClosedOnDrop {
    #[inline]
    fn drop(&mut self) {
        self.0.closed.set(true);
        self.0.check_gone();
    }
}

/// A connection's place in the list of its server, until it has ended.
struct Client {
    of: Rc<Clients>,
    place: usize,
}

impl Drop for Client {
    #[inline]
    fn drop(&mut self) {
        let connection = self.of.connections.borrow_mut().remove(self.place);
        drop(connection);
        self.of.check_gone();
    }
}

impl Clients {
    #[inline]
    fn admit(self: &Rc<Self>, connection: &Rc<Connection>) -> Client {
        Client {
            of: self.clone(),
            place: self.connections.borrow_mut().insert(connection.clone()),
        }
    }

    /// Gives how many there were.
    fn for_each(&self, f: impl Fn(&Connection)) -> usize {
        let connections: Vec<_> = {
            let connections = self.connections.borrow();
            connections.iter().map(|(_, each)| each.clone()).collect()
        };
        connections.iter().for_each(|connection| f(connection));
        connections.len()
    }

    /// The loop reports the error itself, `serve_forever` gives this copy of it.
    #[inline]
    fn fail(&self, error: &io::Error) {
        self.failure.replace(Some(duplicate(error)));
        self.wake();
    }

    #[inline]
    fn are_gone(&self) -> bool {
        self.closed.get() && self.connections.borrow().is_empty()
    }

    #[inline]
    fn check_gone(&self) {
        if self.are_gone() {
            self.wake();
        }
    }

    #[inline]
    fn wake(&self) {
        let mut woken = self.waiting.take().into_iter();
        wake_each(|| woken.next());
    }

    #[inline]
    fn poll_gone(&self, cx: &Context<'_>) -> Poll<()> {
        if self.are_gone() {
            return Poll::Ready(());
        }
        let is_known = |waker: &Waker| waker.will_wake(cx.waker());
        if !self.waiting.borrow().iter().any(is_known) {
            let waker = cx.waker().clone();
            self.waiting.borrow_mut().push(waker);
        }
        Poll::Pending
    }
}
