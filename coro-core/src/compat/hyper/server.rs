//! `HttpServer`: a server of HTTP/1 and HTTP/2.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::rc::Rc;
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};

use super::activity::TimeLimits;
use super::connection::serve;
use super::plan::{HttpPlan, Settings, Versions};
use super::service::HttpService;
#[cfg(feature = "tls")]
use crate::net::tls::TlsAcceptor;
use crate::net::{HandlerOutput, Server, ServerBuilder, TcpListener, TcpStream};
use crate::sync::Event;

const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// Serves HTTP/1 and HTTP/2, each connection in a task of its own.
///
/// `on` is an address, as [`start_server`](crate::net::start_server) takes it, or a [`TcpListener`]. `service` is a function, a service of hyper or a service of tower, such as
/// axum's `Router`; see [`HttpService`]. Connections can be upgraded, as for WebSockets, by
/// [`hyper::upgrade::on`].
///
/// A client has 30 seconds for the head of each request, and a connection that is idle is ended after
/// 75 seconds; [`HttpServer::builder`] has these and other settings. For the body of a request there
/// is no limit of time or size: the service sets it.
///
/// An end of a client, in order or not, and whatever a client sends that is no HTTP, is no failure of
/// the server, and is not reported. An error of the service is, to the loop's exception handler.
///
/// # Errors
///
/// If an address cannot be listened on.
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn serve_http<Kind, S>(on: impl HttpListen, service: S) -> io::Result<HttpServer>
where
    Kind: 'static,
    S: HttpService<Kind>,
{
    HttpServer::builder().start(on, service)
}

/// Something that a server of HTTP listens on: an address, or a listener.
pub trait HttpListen: sealed::Sealed {}

mod sealed {
    use super::*;

    pub trait Sealed {
        /// Starts the server, with a function that gives the future of each connection.
        #[track_caller]
        fn start<F>(
            self,
            server: &ServerBuilder,
            serve: impl Fn(TcpStream, SocketAddr) -> F + 'static,
        ) -> io::Result<Server>
        where
            F: Future<Output: HandlerOutput + 'static> + 'static;
    }
}

impl<A: ToSocketAddrs> HttpListen for A {}
impl HttpListen for TcpListener {}

impl<A: ToSocketAddrs> sealed::Sealed for A {
    fn start<F>(
        self,
        server: &ServerBuilder,
        serve: impl Fn(TcpStream, SocketAddr) -> F + 'static,
    ) -> io::Result<Server>
    where
        F: Future<Output: HandlerOutput + 'static> + 'static,
    {
        server.start_futures(self, serve)
    }
}

impl sealed::Sealed for TcpListener {
    fn start<F>(
        self,
        server: &ServerBuilder,
        serve: impl Fn(TcpStream, SocketAddr) -> F + 'static,
    ) -> io::Result<Server>
    where
        F: Future<Output: HandlerOutput + 'static> + 'static,
    {
        server.start_futures_on([self], serve)
    }
}

/// Settings of an [`HttpServer`].
///
/// ```
/// use coro::compat::hyper::HttpServer;
/// use coro::net::Server;
/// use hyper::Response;
/// use std::time::Duration;
///
/// coro::run(async {
///     let server = HttpServer::builder()
///         .server(Server::builder().max_connections(1000))
///         .header_timeout(Duration::from_secs(5))
///         .http1_only()
///         .start("127.0.0.1:0", async |_| Response::new(String::from("hello\n")))?;
///     assert!(server.is_serving());
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
#[derive(Clone)]
#[must_use = "it serves nothing before `start` is called"]
pub struct HttpServerBuilder {
    server: ServerBuilder,
    settings: Settings,
    #[cfg(feature = "tls")]
    tls: Option<TlsAcceptor>,
}

impl HttpServerBuilder {
    /// The settings of listening and of connections: how many there may be, how long the system's
    /// queue is.
    pub fn server(mut self, settings: ServerBuilder) -> Self {
        self.server = settings;
        self
    }

    /// How long the head of a request may take, from its first byte, and for the first request from
    /// the beginning of the connection: 30 seconds by default.
    ///
    /// After that the connection is cut. [`Duration::MAX`] is no limit. With HTTP/2, whose requests
    /// share a connection, it is for the connection's first bytes alone.
    pub fn header_timeout(mut self, limit: Duration) -> Self {
        self.settings.limits.header = TimeLimits::of(limit);
        self
    }

    /// How long a connection may be idle, with all its requests answered: 75 seconds by default.
    ///
    /// After that it is ended in order. [`Duration::MAX`] is no limit.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.settings.limits.idle = TimeLimits::of(limit);
        self
    }

    /// Speaks HTTP/1 alone.
    pub fn http1_only(mut self) -> Self {
        self.settings.versions = Versions::Http1;
        self
    }

    /// Speaks HTTP/2 alone.
    pub fn http2_only(mut self) -> Self {
        self.settings.versions = Versions::Http2;
        self
    }

    /// Speaks TLS: HTTPS.
    ///
    /// An acceptor whose protocols are `h2` and `http/1.1`, in this order, offers both versions.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, acceptor: TlsAcceptor) -> Self {
        self.tls = Some(acceptor);
        self
    }

    /// Starts the server; see [`serve_http`].
    ///
    /// # Errors
    ///
    /// Those of [`serve_http`].
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn start<Kind, S>(&self, on: impl HttpListen, service: S) -> io::Result<HttpServer>
    where
        Kind: 'static,
        S: HttpService<Kind>,
    {
        let stopping = Rc::<Event>::default();
        let plan = HttpPlan::new(service, self.settings, stopping.clone());
        #[cfg(feature = "tls")]
        if let Some(acceptor) = self.tls.clone() {
            let stop = stopping.clone();
            let serve = move |stream, _| {
                write_at_once(&stream);
                serve_tls(stream, acceptor.clone(), stop.clone(), plan.clone())
            };
            let server = sealed::Sealed::start(on, &self.server, serve)?;
            return Ok(HttpServer { server, stopping });
        }
        let serve = move |stream, _| {
            write_at_once(&stream);
            serve(stream, plan.clone())
        };
        let server = sealed::Sealed::start(on, &self.server, serve)?;
        Ok(HttpServer { server, stopping })
    }

    /// Serves one connection, over any stream, until it ends: for listeners of other kinds, such as
    /// Unix sockets.
    ///
    /// Dropping the future cuts the connection.
    ///
    /// # Errors
    ///
    /// An error of the stream that does not say that the client has gone. An error of the service breaks
    /// the connection off, and is reported to the loop's exception handler.
    ///
    /// # Panics
    ///
    /// If it is polled outside of a loop.
    pub async fn serve_connection<Kind, S, T>(
        &self,
        stream: T,
        service: S,
    ) -> Result<(), hyper::Error>
    where
        Kind: 'static,
        S: HttpService<Kind>,
        T: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let never = Rc::<Event>::default();
        serve(stream, HttpPlan::new(service, self.settings, never)).await
    }
}

/// Has a connection send each write at once: hyper writes whole messages. A connection that refuses has
/// ended, and its first read tells.
fn write_at_once(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
}

#[cfg(feature = "tls")]
async fn serve_tls<Kind, S>(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    stop: Rc<Event>,
    plan: Rc<HttpPlan<S>>,
) -> io::Result<()>
where
    Kind: 'static,
    S: HttpService<Kind>,
{
    let accepting = acceptor.accept(stream);
    let Some(stream) = super::connection::unless_stopped(accepting, &stop).await else {
        return Ok(());
    };
    let served = serve(stream?, plan).await;
    served.map_err(io::Error::other)
}

impl fmt::Debug for HttpServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServerBuilder")
            .field("server", &self.server)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A running server of HTTP, made by [`serve_http`].
///
/// It ends as a [`Server`] does, with one difference: its connections know of requests. So
/// [`shutdown`](Self::shutdown) and [`close`](Self::close) end each connection as soon as the requests
/// are answered that have begun. Dropping it cuts all connections.
#[must_use = "dropping the server cuts its connections: keep it, and await `serve_forever` or `shutdown`"]
pub struct HttpServer {
    server: Server,
    stopping: Rc<Event>,
}

impl HttpServer {
    /// Settings for another server than that of [`serve_http`].
    pub fn builder() -> HttpServerBuilder {
        HttpServerBuilder {
            server: Server::builder(),
            settings: Settings {
                limits: TimeLimits {
                    header: TimeLimits::of(HEADER_TIMEOUT),
                    idle: TimeLimits::of(IDLE_TIMEOUT),
                },
                versions: Versions::Both,
            },
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// The address that is, or was, listened on; the first, if there are several.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.server.local_addr()
    }

    /// All addresses that are, or were, listened on.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        self.server.local_addrs()
    }

    /// How many connections are being served. A connection that was upgraded is the program's own,
    /// and no longer counts.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// Whether the server listens.
    pub fn is_serving(&self) -> bool {
        self.server.is_serving()
    }

    /// Stops listening; connections live on, and are served as before.
    ///
    /// For a restart that hands the listening socket over: [`close`](Self::close) would also end a
    /// connection that was accepted a moment ago, and whose first request is still on its way. Call
    /// this first, and [`shutdown`](Self::shutdown) a moment later.
    ///
    /// ```
    /// use coro::compat::hyper::serve_http;
    /// use hyper::Response;
    /// use std::time::Duration;
    ///
    /// coro::run(async {
    ///     let server = serve_http("127.0.0.1:0", async |_| Response::new(String::from("hello\n")))?;
    ///     server.stop_listening();
    ///     coro::sleep(Duration::from_millis(10)).await; // the last clients send their requests
    ///     assert_eq!(server.shutdown(Duration::from_secs(5)).await, 0);
    ///     std::io::Result::Ok(())
    /// })
    /// # .unwrap();
    /// ```
    pub fn stop_listening(&self) {
        self.server.close();
    }

    /// Stops listening, and ends each connection when the requests are answered that have begun.
    ///
    /// A client of HTTP/1 is told by `connection: close`, a client of HTTP/2 by GOAWAY.
    pub fn close(&self) {
        self.server.close();
        self.stopping.set();
    }

    /// Waits until nothing listens any more, and the last connection has ended.
    pub async fn wait_closed(&self) {
        self.server.wait_closed().await;
    }

    /// [Closes](Self::close) the server, gives the requests that have begun as long as `grace`, and
    /// then cuts the connections that are left. Gives how many it had to cut.
    ///
    /// Requests that have begun within the grace time are answered in full, and their connections
    /// ended in order, so that no answer is lost. A client that sends a request on a kept connection
    /// in the moment in which it is ended gets an end instead of an answer, as with every server: it
    /// may send the request again.
    ///
    /// # Panics
    ///
    /// When it waits outside of a loop.
    pub async fn shutdown(&self, grace: Duration) -> usize {
        self.close();
        self.server.shutdown(grace).await
    }

    /// Serves until the server is closed and all its connections have ended; see
    /// [`Server::serve_forever`].
    ///
    /// # Errors
    ///
    /// If a listening socket has failed.
    pub async fn serve_forever(&self) -> io::Result<()> {
        self.server.serve_forever().await
    }

    /// Cuts every connection that is there, and gives how many there were; the server goes on
    /// listening.
    pub fn abort_clients(&self) -> usize {
        self.server.abort_clients()
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
