//! Options of a connection to a host.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use socket2::Domain;

use super::{ConnectError, happy_eyeballs};
use crate::event_loop::LoopHandle;
use crate::net::TcpStream;
use crate::net::resolve::look_up;
use crate::net::target::{Target, ToSocketAddrs};
use crate::sys::{self, Sock};

/// The delay that RFC 8305 and asyncio's documentation recommend.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to a host, given by its name or its IP address, by TCP.
///
/// The counterpart of `asyncio.open_connection`. A name is resolved as by
/// [`lookup_host`](crate::net::lookup_host), away from the loop's thread. Several addresses are
/// tried as by [`happy_eyeballs`], each 250 ms after the last, so an address that does not answer
/// costs no more than that. [`ConnectOptions`] has settings for this.
///
/// The system decides how long it waits for an answer, often minutes: use
/// [`timeout`](crate::time::timeout) to limit it. Dropping the future abandons the lookup, and
/// closes every socket.
///
/// ```
/// use coro::net::{TcpListener, open_connection};
///
/// coro::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0")?;
///     let port = listener.local_addr()?.port();
///     let client = open_connection("localhost", port).await?;
///     let (_, peer) = listener.accept().await?;
///     assert_eq!(client.local_addr()?, peer);
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// [`ConnectError`], which keeps the error of every address that was tried.
///
/// # Panics
///
/// When polled outside of a loop.
pub async fn open_connection(
    host: impl Into<String>,
    port: u16,
) -> Result<TcpStream, ConnectError> {
    let target = Target::of_host(host.into(), port);
    ConnectOptions::new().connect_to(target).await
}

/// Options of a connection, to change the defaults of [`open_connection`].
///
/// ```
/// use coro::net::{ConnectOptions, TcpListener};
/// use std::time::Duration;
///
/// coro::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0")?;
///     let there = listener.local_addr()?;
///     let options = ConnectOptions::new()
///         .attempt_delay(Duration::from_millis(100))
///         .local_addr("127.0.0.1:0".parse().unwrap())
///         .resolver(move |_name, _port| async move { Ok(vec![there]) });
///     let client = options.connect("printer.example:631").await?;
///     assert_eq!(client.peer_addr()?, there);
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
#[derive(Clone)]
#[must_use = "it connects to nothing before `connect` is called"]
pub struct ConnectOptions {
    attempt_delay: Duration,
    local: Vec<SocketAddr>,
    resolver: Option<Rc<Resolver>>,
    prepare: Option<Rc<Prepare>>,
}

type Prepare = dyn Fn(&std::net::TcpStream) -> io::Result<()>;

type Resolver = dyn Fn(String, u16) -> Pin<Box<Resolved>>;
type Resolved = dyn Future<Output = io::Result<Vec<SocketAddr>>>;

impl ConnectOptions {
    /// The defaults of [`open_connection`].
    #[inline]
    pub fn new() -> Self {
        ConnectOptions {
            attempt_delay: ATTEMPT_DELAY,
            local: Vec::new(),
            resolver: None,
            prepare: None,
        }
    }

    /// How long to wait for one address before the next is tried as well. Default: 250 ms.
    ///
    /// With [`Duration::MAX`] the next address is tried only after the last has failed. RFC 8305
    /// wants at least 10 ms, and recommends 100 ms to two seconds.
    #[inline]
    pub fn attempt_delay(mut self, delay: Duration) -> Self {
        self.attempt_delay = delay;
        self
    }

    /// The local address; with port 0 the system chooses the port.
    ///
    /// Call it twice to give an address of each family. An attempt to connect to a family without a
    /// local address fails at once.
    #[inline]
    pub fn local_addr(mut self, address: SocketAddr) -> Self {
        self.local.push(address);
        self
    }

    /// Resolves names by `resolver`, which receives the name and the port, instead of by the
    /// system.
    pub fn resolver<F, R>(mut self, resolver: F) -> Self
    where
        F: Fn(String, u16) -> R + 'static,
        R: Future<Output = io::Result<Vec<SocketAddr>>> + 'static,
    {
        self.resolver = Some(Rc::new(move |name, port| Box::pin(resolver(name, port))));
        self
    }

    /// Sets options of each socket before it is connected, such as the sizes of its buffers or the
    /// network interface that it uses.
    ///
    /// ```
    /// use coro::net::ConnectOptions;
    ///
    /// let options = ConnectOptions::new()
    ///     .prepare(|socket| socket2::SockRef::from(socket).set_recv_buffer_size(65536));
    /// ```
    ///
    /// The attempt fails with the error that `prepare` returns.
    pub fn prepare<F>(mut self, prepare: F) -> Self
    where
        F: Fn(&std::net::TcpStream) -> io::Result<()> + 'static,
    {
        self.prepare = Some(Rc::new(prepare));
        self
    }

    /// Connects, as [`open_connection`] does.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], also for text that is not of the form `"host:port"`.
    ///
    /// # Panics
    ///
    /// When polled outside of a loop.
    pub async fn connect(&self, to: impl ToSocketAddrs) -> Result<TcpStream, ConnectError> {
        match to.into_target() {
            Ok(target) => self.connect_to(target).await,
            Err(error) => Err(ConnectError::of_lookup("the host".into(), error)),
        }
    }

    #[inline]
    async fn connect_to(&self, target: Target) -> Result<TcpStream, ConnectError> {
        let (text, addresses) = match target {
            Target::Addresses(addresses) => (list(&addresses), addresses),
            Target::Name(name, port) => {
                let text = format!("{name}:{port}");
                match self.resolve(name, port).await {
                    Ok(addresses) => (text, addresses),
                    Err(error) => return Err(ConnectError::of_lookup(text, error)),
                }
            }
        };
        let attempts = happy_eyeballs(addresses, self.attempt_delay, |to| self.attempt(to));
        attempts
            .await
            .map_err(|errors| ConnectError::of_attempts(text, errors))
    }

    #[inline]
    async fn resolve(&self, name: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        match &self.resolver {
            None => look_up(name, port).await,
            Some(resolver) => resolver(name, port).await,
        }
    }

    #[inline]
    async fn attempt(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = sys::stream_socket(Domain::for_address(to))?;
        let mut local = self.local.iter();
        let local = local.find(|local| local.is_ipv4() == to.is_ipv4()).copied();
        if local.is_none() && !self.local.is_empty() {
            return Err(none_of_family());
        }
        let prepare = |socket: &std::net::TcpStream| match &self.prepare {
            Some(prepare) => prepare(socket),
            None => Ok(()),
        };
        let socket = match LoopHandle::simulated_host() {
            None => Sock::connect_real(socket, local, to, prepare)?,
            #[cfg(feature = "simulation")]
            Some(host) => Sock::connect_simulated(&host, socket, local, to, prepare)?,
        };
        TcpStream::connecting(socket).await
    }
}

#[inline]
fn none_of_family() -> io::Error {
    io::Error::new(
        io::ErrorKind::AddrNotAvailable,
        "no local address of its family was given",
    )
}

impl Default for ConnectOptions {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ConnectOptions {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("attempt_delay", &self.attempt_delay)
            .field("local_addr", &self.local)
            .field("has_resolver", &self.resolver.is_some())
            .finish()
    }
}

impl TcpStream {
    /// Connects to an address, to the first of several that answers, or to a host by its name.
    ///
    /// Names and several addresses are treated as by [`open_connection`]. Dropping the future
    /// closes the socket.
    ///
    /// # Errors
    ///
    /// The system's error: refused, unreachable, timed out. For several addresses, or a name that
    /// was not resolved, a [`ConnectError`] inside an `io::Error`. The system decides how long it
    /// waits for an answer, often minutes: use [`timeout`](crate::time::timeout) to limit it.
    ///
    /// # Panics
    ///
    /// When polled outside of a loop.
    pub async fn connect(to: impl ToSocketAddrs) -> io::Result<Self> {
        let target = to.into_target()?;
        let connected = ConnectOptions::new().connect_to(target).await;
        connected.map_err(ConnectError::plain)
    }
}

#[inline]
fn list(addresses: &[SocketAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    match texts.len() {
        0 => "no address".into(),
        _ => texts.join(", "),
    }
}
