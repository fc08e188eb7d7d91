//! TLS that is put on a transport in the midst of its conversation.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;

use super::Transport;
use super::connection::Connection;
use super::plain_stream::PlainStream;
use super::protocol_cell::Host;
use crate::error::duplicate;
use crate::net::tls::{TlsAcceptor, TlsConnector, TlsError, TlsStream};

impl Transport {
    /// Goes on in TLS, as the client, with the server of that name: the counterpart of
    /// `loop.start_tls`. Feature `tls`.
    ///
    /// For protocols that begin in plain text, as SMTP before the answer to STARTTLS. The protocol
    /// stays, and so does the transport; from then on what is written is enciphered, and what the
    /// protocol is given has been deciphered. For the name, and for who is trusted, see
    /// [`TlsConnector::connect`]; the server's side is [`start_tls_server`](Self::start_tls_server).
    ///
    /// # When what happens
    ///
    /// The **call** itself ends the plain part: when it returns, nothing more is read in plain text,
    /// and what is written from now on waits for TLS. What was written before is sent first, in
    /// plain text. The **future** then shakes hands. It has to be awaited, or, in a callback,
    /// spawned; until it is done, no data is received. It does not call
    /// [`connection_made`](super::Protocol::connection_made) again. Another protocol may be
    /// [set](Self::set_protocol) before or after; code that follows the await runs before any data
    /// is received, and so can choose one by what was agreed on, which
    /// [`with_stream`](Self::with_stream) tells, for a stream of type `TlsStream<PlainStream>`.
    ///
    /// What had come in plain text **before** the call has been given to the protocol before the
    /// call, perhaps in one piece with the message that led to it. Whoever sits on the line can have
    /// put it there: a protocol has to refuse whatever follows that message, or injected commands
    /// are obeyed as if they had come by TLS. Here a client does so:
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
    /// [`close`](Self::close) and [`write_eof`](Self::write_eof) take effect after the handshake and
    /// what was written; [`abort`](Self::abort) at once. Reading that is
    /// [paused](Self::pause_reading) stays so, and does not keep the handshake waiting. What waits to
    /// be written counts towards the [limits](Self::set_write_buffer_limits), and until the handshake
    /// is done so does what was to be sent before it. The stream and its addresses cannot be asked
    /// for, but for the address that the transport was connected to.
    ///
    /// A failure that the spawned future ends with is told to the loop's exception handler, too, as of
    /// any task that nobody looks at; the examples here leave it to `connection_lost`.
    ///
    /// **Dropping** the future before it is done, also if it was never polled, aborts the connection,
    /// which can go on neither in plain text nor in TLS.
    ///
    /// # Errors
    ///
    /// Those of [`TlsConnector::connect`], also for a malformed name. The connection ends, and
    /// [`connection_lost`](super::Protocol::connection_lost) is called with the same error.
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted) if the transport was aborted, or broke
    /// otherwise.
    ///
    /// And those that change nothing, as the call has done nothing:
    /// [`NotConnected`](io::ErrorKind::NotConnected) if the transport is closing,
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) after `write_eof`, and
    /// [`ResourceBusy`](io::ErrorKind::ResourceBusy) during another handshake. After one, TLS is put
    /// within TLS.
    ///
    /// # Panics
    ///
    /// If it has to wait outside of a loop.
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
    /// All that is said of [`start_tls`](Self::start_tls) holds here, and the duty to refuse what
    /// follows the command above all. Write the answer to the command first: it goes out in plain
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

/// A connection whose stream is away. Unless it gets another, it cannot go on.
struct Upgrade(Transport);

impl Upgrade {
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
    fn drop(&mut self) {
        let connection = self.0.connection();
        connection.forget_upgrader();
        if connection.is_away() {
            connection.abort();
        }
    }
}

/// The handshake, which is dropped, and the stream with it, when this is done.
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

/// The protocol is told as well, and errors cannot be cloned.
fn copy_of(error: &io::Error) -> io::Error {
    let tls: Option<&TlsError> = error.get_ref().and_then(|inner| inner.downcast_ref());
    match tls {
        Some(tls) => io::Error::new(error.kind(), tls.clone()),
        None => duplicate(error),
    }
}
