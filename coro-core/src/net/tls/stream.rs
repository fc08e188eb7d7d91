//! A TLS connection.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use rustls::pki_types::CertificateDer;
use rustls::{CipherSuite, Connection, ProtocolVersion};

use super::handshake::too_long;
use super::session::Session;
use crate::wait::until::Until;

/// A TLS connection over a stream, of either side. Made by [`TlsConnector`](super::TlsConnector) or
/// [`TlsAcceptor`](super::TlsAcceptor).
///
/// It reads and writes by the traits of [`futures::io`]; their `split` gives each direction to a
/// task of its own.
///
/// - **Reading** gives what the other end wrote. It ends with 0 bytes only after the other end has
///   said so, by `close_notify`. A connection that ends without is
///   [`UnexpectedEof`](io::ErrorKind::UnexpectedEof), then and at every further read: somebody may
///   have cut it short. Dropping a read loses nothing.
/// - **Writing** takes up to 64 KiB and sends what the stream takes of it; the next write waits
///   until the rest has gone. So the last of what was written may lie here until `flush` or
///   `close`: call one of them before waiting for an answer. Of `write_all` and the like it is
///   unknown how much was written when they are dropped; what was taken is sent in order, whole,
///   by whatever comes next.
/// - **`close`** sends what is left and `close_notify`, and closes the stream for writing. The other
///   direction stays open: read on until 0 to know that the other end is done too. `close` fails
///   with [`TimedOut`](io::ErrorKind::TimedOut) if the other end does not take in what is left
///   within the shutdown limit. Dropping the stream without closing it drops the stream below,
///   which the other end reads as a connection that was cut short.
/// - **Errors** of TLS are [`InvalidData`](io::ErrorKind::InvalidData) with a
///   [`TlsError`](super::TlsError) inside, and are given to every read and write from then on.
///
/// # Panics
///
/// A `close` that has to wait panics outside of a loop, as its time limit is the loop's.
pub struct TlsStream<S> {
    session: Session,
    stream: S,
    shutdown_timeout: Duration,
    shutdown: Until,
}

impl<S> TlsStream<S> {
    pub(super) fn new(session: Session, stream: S, shutdown_timeout: Duration) -> Self {
        TlsStream {
            session,
            stream,
            shutdown_timeout,
            shutdown: Until::After(shutdown_timeout),
        }
    }

    /// The stream below, to ask it for addresses and the like.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream below, to set options. What is read from it or written to it is missing above.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The certificates that the other end has proved to be its own, its own first; none from a
    /// client that was not asked.
    pub fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        self.connection().peer_certificates()
    }

    /// The application protocol that was agreed on (ALPN), such as `h2`, if any.
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.connection().alpn_protocol()
    }

    /// The version of TLS that was agreed on.
    pub fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.connection().protocol_version()
    }

    /// The cipher suite that was agreed on.
    pub fn cipher_suite(&self) -> Option<CipherSuite> {
        let suite = self.connection().negotiated_cipher_suite();
        suite.map(|suite| suite.suite())
    }

    /// The name that the client asked for (SNI), on the side of the server.
    ///
    /// It is what the client claims. It is in lower case, and a valid DNS name.
    pub fn server_name(&self) -> Option<&str> {
        match self.connection() {
            Connection::Server(server) => server.server_name(),
            Connection::Client(_) => None,
        }
    }

    /// All else that rustls knows of the connection: whether it was resumed, exported keys.
    pub fn connection(&self) -> &Connection {
        self.session.connection()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let read = |reader: &mut rustls::Reader<'_>| reader.read(buffer);
        this.session.poll_read(&mut this.stream, cx, read)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let read = |reader: &mut rustls::Reader<'_>| reader.read_vectored(buffers);
        this.session.poll_read(&mut this.stream, cx, read)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let write = |writer: &mut rustls::Writer<'_>| writer.write(bytes);
        this.session.poll_write(&mut this.stream, cx, write)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let write = |writer: &mut rustls::Writer<'_>| writer.write_vectored(slices);
        this.session.poll_write(&mut this.stream, cx, write)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.session.poll_flush(&mut this.stream, cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.session.poll_close(&mut this.stream, cx) {
            Poll::Pending => {
                let over = this.shutdown.poll(cx);
                over.map(|()| Err(too_long("the shutdown", this.shutdown_timeout)))
            }
            done => done,
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for TlsStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream")
            .field("stream", &self.stream)
            .field("protocol_version", &self.protocol_version())
            .field("cipher_suite", &self.cipher_suite())
            .finish_non_exhaustive()
    }
}
