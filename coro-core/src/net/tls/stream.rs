//! A TLS connection.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::thread;
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use rustls::pki_types::CertificateDer;
use rustls::{CipherSuite, Connection, ProtocolVersion};

use super::handshake::too_long;
use super::session::Session;
use crate::event_loop::LoopHandle;
use crate::wait::until::Until;

/// A TLS connection over a stream, of either side. Made by [`TlsConnector`](super::TlsConnector) or
/// [`TlsAcceptor`](super::TlsAcceptor).
///
/// It reads and writes by the traits of [`futures::io`]; their `split` gives each direction to a
/// task of its own.
///
/// - **Reading** gives the bytes that the other end wrote. It ends with 0 bytes only after the
///   other end has sent `close_notify`. A connection that ends without gives
///   [`UnexpectedEof`](io::ErrorKind::UnexpectedEof), then and at every further read: an attacker
///   may have cut it short. Dropping a read loses nothing.
/// - **Writing** takes up to 64 KiB and sends as much of it as the stream takes; the next write
///   waits until the rest is sent. So the last bytes may lie here until `flush` or `close`: call
///   one of them before waiting for an answer. If `write_all` is dropped, it is unknown how many
///   bytes were taken; the bytes that were taken are sent in order, and whole, by the next
///   operation.
/// - **`close`** sends all bytes that were written, then `close_notify`, and closes the stream for
///   writing. Then it waits until the other end has ended too, or sends data; it takes all other
///   messages in. If data comes, the other direction is in use: no data is lost, and reading goes
///   on until 0. `close` promises that all bytes were handed over in order, and, once the other end
///   has ended, that they arrive if it reads them.
///   - It fails with [`TimedOut`](io::ErrorKind::TimedOut) if the other end does not take in the
///     bytes within the shutdown limit, 30 seconds unless
///     [set](super::TlsConnector::shutdown_timeout). If the limit passes later, while the other end
///     is silent but does not end, the close is done: all bytes were sent. Outside of a loop, which
///     has the clock, it does not wait for that.
///   - It fails with the error of the stream or of TLS if the other end breaks the connection off
///     instead, as by a reset or an alert: the last bytes may not have arrived.
///   - Dropping the wait loses nothing; `close` can be called again.
/// - **Dropping** a closed stream with data unread has the system reset the connection, and the
///   other end may lose the last bytes: read until 0, or use
///   [`close_in_order`](crate::net::close_in_order), which discards the data. Dropping a stream
///   that was not closed sends `close_notify`, if that needs no wait and all bytes were sent: then
///   the other end reads a clean end, else a connection that was cut short. The drop does not wait
///   for its arrival, so it may be lost with the last bytes: only `close` makes sure.
/// - **Errors** of TLS are [`InvalidData`](io::ErrorKind::InvalidData) with a
///   [`TlsError`](super::TlsError) inside, and are given to every read and write from then on.
///
/// # Panics
///
/// A `close` that has to wait until the stream takes bytes panics outside of a loop, as its time
/// limit needs the loop's clock.
pub struct TlsStream<S> {
    session: Session,
    stream: S,
    shutdown_timeout: Duration,
    shutdown: Until,
    stage: CloseStage,
    /// The last write was not taken whole: its writer has more to write.
    unfinished: bool,
    /// Takes leave when the stream is dropped. A pointer, as the struct has no bounds to call it
    /// by.
    leave: fn(&mut Self),
}

/// How far the close has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CloseStage {
    Open,
    /// All bytes that were written are sent, and the end of them.
    Told,
    /// The other end has ended too, or its time has passed.
    Over,
}

/// How often a stream that is dropped reads, at most.
const READS_AT_THE_END: usize = 16;

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    pub(super) fn new(session: Session, stream: S, shutdown_timeout: Duration) -> Self {
        TlsStream {
            session,
            stream,
            shutdown_timeout,
            shutdown: Until::After(shutdown_timeout),
            stage: CloseStage::Open,
            unfinished: false,
            leave: Self::take_leave,
        }
    }

    fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.session.poll_close(&mut self.stream, cx) {
            Poll::Pending => {
                let over = self.shutdown.poll(cx);
                over.map(|()| Err(too_long("the shutdown", self.shutdown_timeout)))
            }
            done => done,
        }
    }

    /// A stream that is closed while bytes come for it is reset, and then the other end may lose
    /// the bytes that it was sent last. So the end of the other end comes first.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.session.poll_end(&mut self.stream, cx) {
            Poll::Pending if LoopHandle::try_current().is_none() => Poll::Ready(Ok(())),
            Poll::Pending => self.shutdown.poll(cx).map(Ok),
            done => done,
        }
    }

    /// Sends close_notify as the stream is dropped, if all bytes were sent, without waiting.
    fn take_leave(&mut self) {
        if thread::panicking() || self.unfinished || self.session.has_failed() {
            return;
        }
        if !self.session.is_closing() {
            self.session.try_close(&mut self.stream);
        }
        if self.session.is_closing() {
            self.discard();
        }
    }

    /// Reads the bytes that lie unread, for which the system would reset the connection.
    fn discard(&mut self) {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut buffer = [0; 4096];
        for _ in 0..READS_AT_THE_END {
            let read = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
            if !matches!(read, Poll::Ready(Ok(1..))) {
                return;
            }
        }
    }
}

impl<S> Drop for TlsStream<S> {
    fn drop(&mut self) {
        (self.leave)(self);
    }
}

impl<S> TlsStream<S> {
    /// The stream below, to ask it for addresses and the like.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream below, to set options. Bytes that are read from it are missing above, and bytes
    /// that are written to it disturb TLS.
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
    /// The client claims it. It is in lower case, and a valid DNS name.
    pub fn server_name(&self) -> Option<&str> {
        match self.connection() {
            Connection::Server(server) => server.server_name(),
            Connection::Client(_) => None,
        }
    }

    fn note_write(&mut self, written: &Poll<io::Result<usize>>, len: usize) {
        self.unfinished = !matches!(written, Poll::Ready(Ok(taken)) if *taken == len);
    }

    /// The connection of rustls, for other facts: whether it was resumed, exported keys.
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
        let written = this.session.poll_write(&mut this.stream, cx, write);
        this.note_write(&written, bytes.len());
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let write = |writer: &mut rustls::Writer<'_>| writer.write_vectored(slices);
        let written = this.session.poll_write(&mut this.stream, cx, write);
        this.note_write(&written, slices.iter().map(|slice| slice.len()).sum());
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.session.poll_flush(&mut this.stream, cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.stage == CloseStage::Open {
            ready!(this.poll_told(cx))?;
            this.stage = CloseStage::Told;
        }
        if this.stage == CloseStage::Told {
            ready!(this.poll_ended(cx))?;
            this.stage = CloseStage::Over;
        }
        Poll::Ready(Ok(()))
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
