//! `Connector`: connections for the pooled client of hyper-util.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::{Uri, rt};
use hyper_util::client::legacy::connect::{Connected, Connection};

use super::io::Io;
use crate::event_loop::OnLoop;
#[cfg(feature = "tls")]
use crate::net::tls::{TlsConnector, TlsStream};
use crate::net::{ConnectOptions, TcpStream};

/// Connects the client of hyper-util, `hyper_util::client::legacy::Client`, by
/// [`open_connection`](crate::net::open_connection): names with all their addresses, the fastest
/// first.
///
/// For `https` it needs a `TlsConnector`, with the feature `tls`.
///
/// Make it, and use the client, on the thread of one loop.
#[derive(Debug, Clone, Default)]
pub struct Connector {
    options: Option<OnLoop<ConnectOptions>>,
    #[cfg(feature = "tls")]
    tls: Option<TlsConnector>,
}

impl Connector {
    /// Connects with the usual options, and without TLS.
    pub fn new() -> Self {
        Self::default()
    }

    /// Connects with other options.
    ///
    /// # Panics
    ///
    /// Outside of a loop, to which the options belong.
    #[track_caller]
    pub fn options(mut self, options: ConnectOptions) -> Self {
        self.options = Some(OnLoop::new(options));
        self
    }

    /// Connects with TLS if the scheme is `https`.
    ///
    /// A connector whose protocols are `h2` and `http/1.1`, in this order, lets the server choose
    /// HTTP/2.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, connector: TlsConnector) -> Self {
        self.tls = Some(connector);
        self
    }

    async fn connect(self, to: Uri) -> io::Result<HttpStream> {
        let host = to.host().ok_or_else(|| invalid(&to, "has no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']'); // as in `[::1]`
        let (is_secure, usual) = match to.scheme_str() {
            Some("http") | None => (false, 80),
            Some("https") => (true, 443),
            Some(_) => return Err(invalid(&to, "has a scheme other than http and https")),
        };
        if is_secure {
            self.check_tls(&to)?;
        }
        let options = self.options.as_deref().cloned().unwrap_or_default();
        let port = to.port_u16().unwrap_or(usual);
        let stream = options.connect((host, port)).await?;
        stream.set_nodelay(true)?; // hyper writes whole messages
        if is_secure {
            return self.secured(host, stream).await;
        }
        Ok(HttpStream(Layer::Plain(Io::new(OnLoop::new(stream)))))
    }

    #[cfg(feature = "tls")]
    fn check_tls(&self, to: &Uri) -> io::Result<()> {
        match self.tls {
            Some(_) => Ok(()),
            None => Err(invalid(to, "needs a connector with `tls(TlsConnector)`")),
        }
    }

    #[cfg(not(feature = "tls"))]
    fn check_tls(&self, to: &Uri) -> io::Result<()> {
        Err(invalid(to, "needs the feature `tls` of coro"))
    }

    #[cfg(feature = "tls")]
    async fn secured(&self, host: &str, stream: TcpStream) -> io::Result<HttpStream> {
        let tls = self.tls.as_ref().expect("checked before it connected");
        let stream = tls.connect(host, stream).await?;
        Ok(HttpStream(Layer::Tls(Io::new(OnLoop::new(Box::new(
            stream,
        ))))))
    }

    #[cfg(not(feature = "tls"))]
    async fn secured(&self, _: &str, _: TcpStream) -> io::Result<HttpStream> {
        unreachable!("refused before it connected")
    }
}

fn invalid(to: &Uri, reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{to} {reason}"))
}

impl tower_service::Service<Uri> for Connector {
    type Response = HttpStream;
    type Error = io::Error;
    type Future = OnLoop<Pin<Box<dyn Future<Output = io::Result<HttpStream>>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// # Panics
    ///
    /// Outside of a loop.
    fn call(&mut self, to: Uri) -> Self::Future {
        OnLoop::new(Box::pin(self.clone().connect(to)))
    }
}

/// A connection that a [`Connector`] made.
#[derive(Debug)]
pub struct HttpStream(Layer);

#[derive(Debug)]
enum Layer {
    Plain(Io<OnLoop<TcpStream>>),
    #[cfg(feature = "tls")]
    Tls(Io<OnLoop<Box<TlsStream<TcpStream>>>>), // large
}

/// Calls a method of the stream in the layer.
macro_rules! of_layer {
    ($stream:ident, $io:ident => $call:expr) => {
        match &mut $stream.get_mut().0 {
            Layer::Plain(io) => {
                let $io = Pin::new(io);
                $call
            }
            #[cfg(feature = "tls")]
            Layer::Tls(io) => {
                let $io = Pin::new(io);
                $call
            }
        }
    };
}

impl Connection for HttpStream {
    fn connected(&self) -> Connected {
        match &self.0 {
            Layer::Plain(_) => Connected::new(),
            #[cfg(feature = "tls")]
            Layer::Tls(io) if io.get_ref().alpn_protocol() == Some(b"h2") => {
                Connected::new().negotiated_h2()
            }
            #[cfg(feature = "tls")]
            Layer::Tls(_) => Connected::new(),
        }
    }
}

impl rt::Read for HttpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        of_layer!(self, io => rt::Read::poll_read(io, cx, into))
    }
}

impl rt::Write for HttpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        of_layer!(self, io => rt::Write::poll_write(io, cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        of_layer!(self, io => rt::Write::poll_flush(io, cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        of_layer!(self, io => rt::Write::poll_shutdown(io, cx))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        of_layer!(self, io => rt::Write::poll_write_vectored(io, cx, slices))
    }
}
