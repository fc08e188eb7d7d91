//! TLS that is started on a transport, after plain text.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;

use super::Transport;
use super::connection::Connection;
use super::plain_stream::PlainStream;
use crate::callbacks::CallbackTransport;
use crate::error::duplicate;
use crate::net::tls::{TlsAcceptor, TlsConnector, TlsError, TlsStream};

impl Transport {
    /// Goes on in TLS, as the client, with the server of that name: the counterpart of
    /// `loop.start_tls`. Feature `tls`.
    ///
    /// For protocols that begin in plain text, as SMTP before the answer to STARTTLS. The protocol
    /// stays, and so does the transport. From then on the bytes that are written are enciphered,
    /// and the bytes that the protocol receives are deciphered. For the name, and for trust, see
    /// [`TlsConnector::connect`]; the server's side is
    /// [`start_tls_server`](Self::start_tls_server).
    ///
    /// # Order of events
    ///
    /// The **call** itself ends the plain part: when it returns, nothing more is read in plain
    /// text, and bytes that are written from now on wait for TLS. Bytes that were written before
    /// are sent first, in plain text. The **future** then shakes hands. It has to be awaited, or,
    /// in a callback, spawned; until it is done, no data is received. It does not call
    /// [`connection_made`](super::Protocol::connection_made) again. Another protocol may be
    /// [set](Self::set_protocol) before or after. Code that follows the await runs before any data
    /// is received, so it can choose a protocol by the result of the handshake:
    /// [`with_stream`](Self::with_stream) gives the stream, of type `TlsStream<PlainStream>`.
    ///
    /// Bytes that came in plain text **before** the call were given to the protocol before the
    /// call, perhaps in one piece with the message that led to it. An attacker on the line can have
    /// put them there. So a protocol has to refuse all bytes that follow that message, or injected
    /// commands are obeyed as if they had come by TLS. Here a client does so:
    ///
    /// ```
    /// use coro::net::{Protocol, Transport, tls::TlsConnector};
    ///
    /// struct Client {
    ///     transport: Transport,
    ///     connector: TlsConnector,
    ///     line: Vec<u8>,
    ///     secure: bool,
    /// }
    ///
    /// impl Protocol for Client {
    ///     fn data_received(&mut self, data: &[u8]) {
    ///         self.line.extend_from_slice(data);
    ///         let Some(end) = self.line.iter().position(|byte| *byte == b'\n') else {
    ///             return;
    ///         };
    ///         if !self.secure {
    ///             if !self.line.starts_with(b"220 ") || end + 1 < self.line.len() {
    ///                 return self.transport.abort(); // no, or more than the answer
    ///             }
    ///             self.secure = true;
    ///             let shaking = self.transport.start_tls(&self.connector, "localhost");
    ///             // If it fails, `connection_lost` is told.
    ///             drop(coro::spawn(async { shaking.await.ok() }));
    ///             self.transport.write(b"LOGIN me\r\n"); // goes by TLS
    ///         }
    ///         self.line.clear();
    ///     }
    /// }
    /// ```
    ///
    /// # Meanwhile
    ///
    /// [`close`](Self::close) and [`write_eof`](Self::write_eof) take effect after the handshake
    /// and the bytes that were written; [`abort`](Self::abort) at once. Reading that is
    /// [paused](Self::pause_reading) stays so, and does not keep the handshake waiting. Bytes that
    /// wait to be written count towards the [limits](Self::set_write_buffer_limits), and until the
    /// handshake is done so do the bytes to be sent before it. The stream and its addresses cannot
    /// be asked for, but for the address that the transport was connected to.
    ///
    /// A failure of a spawned future is reported to the loop's exception handler, too, as of any
    /// task whose output is dropped; the examples here leave it to `connection_lost`.
    ///
    /// **Dropping** the future before it is done, also if it was never polled, aborts the
    /// connection, which can continue neither in plain text nor in TLS.
    ///
    /// # Errors
    ///
    /// Those of [`TlsConnector::connect`], also for a malformed name. The connection ends, and
    /// [`connection_lost`](super::Protocol::connection_lost) is called with the same error.
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted) if the transport was aborted, or
    /// broke otherwise.
    ///
    /// And errors after which the connection is unchanged, as the call has done nothing:
    /// [`NotConnected`](io::ErrorKind::NotConnected) if the transport is closing,
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) after `write_eof`, and
    /// [`ResourceBusy`](io::ErrorKind::ResourceBusy) during another handshake. After one, TLS is
    /// put within TLS.
    ///
    /// # Panics
    ///
    /// If it has to wait outside of a loop.
    #[inline]
    pub fn start_tls(
        &self,
        connector: &TlsConnector,
        server_name: &str,
    ) -> impl Future<Output = io::Result<()>> + use<> {
        let taken = Upgrade::begin(self);
        let (connector, name) = (connector.clone(), server_name.to_owned());
        async move {
            let (upgrade, stream) = taken?;
            upgrade.finish(connector.connect(&name, stream)).await
        }
    }

    /// Goes on in TLS, as the server: the counterpart of `loop.start_tls` with `server_side`.
    /// Feature `tls`.
    ///
    /// The documentation of [`start_tls`](Self::start_tls) holds here, above all the duty to refuse
    /// bytes that follow the command. Write the answer to the command first: it is sent in plain
    /// text.
    ///
    /// ```
    /// use coro::net::{Protocol, Transport, tls::TlsAcceptor};
    ///
    /// struct Server {
    ///     transport: Transport,
    ///     acceptor: TlsAcceptor,
    ///     line: Vec<u8>,
    ///     secure: bool,
    /// }
    ///
    /// impl Protocol for Server {
    ///     fn data_received(&mut self, data: &[u8]) {
    ///         self.line.extend_from_slice(data);
    ///         if !self.line.contains(&b'\n') {
    ///             return;
    ///         }
    ///         match &self.line[..] {
    ///             b"STARTTLS\r\n" if !self.secure => {
    ///                 self.secure = true;
    ///                 self.transport.write(b"220 go ahead\r\n");
    ///                 let shaking = self.transport.start_tls_server(&self.acceptor);
    ///                 drop(coro::spawn(async { shaking.await.ok() }));
    ///             }
    ///             line if line.starts_with(b"STARTTLS") => self.transport.abort(), // and more
    ///             _ => drop(self.transport.write(b"250 ok\r\n")),
    ///         }
    ///         self.line.clear();
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`start_tls`](Self::start_tls), with those of [`TlsAcceptor::accept`].
    ///
    /// # Panics
    ///
    /// If it has to wait outside of a loop.
    #[inline]
    pub fn start_tls_server(
        &self,
        acceptor: &TlsAcceptor,
    ) -> impl Future<Output = io::Result<()>> + use<> {
        let taken = Upgrade::begin(self);
        let acceptor = acceptor.clone();
        async move {
            let (upgrade, stream) = taken?;
            upgrade.finish(acceptor.accept(stream)).await
        }
    }
}

/// A connection whose stream is away. Dropping this aborts the connection, unless it got another
/// stream.
struct Upgrade(Transport);

impl Upgrade {
    #[inline]
    fn begin(transport: &Transport) -> io::Result<(Self, PlainStream)> {
        let (stream, out) = transport.connection().take_stream()?;
        Ok((Upgrade(transport.clone()), PlainStream::new(stream, out)))
    }

    async fn finish(
        self,
        handshake: impl Future<Output = io::Result<TlsStream<PlainStream>>>,
    ) -> io::Result<()> {
        let connection = self.0.connection();
        let shaken = unless_broken(connection, handshake).await;
        let done = shaken.and_then(|tls| connection.put_stream(Box::new(tls)));
        if let Err(error) = &done {
            connection.fail(copy_of(error));
        }
        done
    }
}

impl Drop for Upgrade {
    #[inline]
    fn drop(&mut self) {
        let connection = self.0.connection();
        connection.forget_upgrader();
        if connection.is_away() {
            connection.abort();
        }
    }
}

/// Waits for the handshake, or for the connection to break. The handshake is dropped, and its
/// stream with it, when this is done.
async fn unless_broken<T>(
    connection: &Connection,
    handshake: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let mut handshake = pin!(handshake);
    poll_fn(|cx| match connection.poll_broken(cx) {
        Poll::Ready(error) => Poll::Ready(Err(error)),
        Poll::Pending => handshake.as_mut().poll(cx),
    })
    .await
}

/// A copy for the protocol, as errors cannot be cloned.
#[inline]
pub(super) fn copy_of(error: &io::Error) -> io::Error {
    let tls: Option<&TlsError> = error.get_ref().and_then(|inner| inner.downcast_ref());
    match tls {
        Some(tls) => io::Error::new(error.kind(), tls.clone()),
        None => duplicate(error),
    }
}
