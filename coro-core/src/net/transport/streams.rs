//! `StreamWriter`, which never waits to write, with the `TransportReader` of the same connection.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures::io::{AsyncRead, AsyncWrite};

#[cfg(feature = "tls")]
use super::start_tls::copy_of;
use super::{Protocol, Transport};
use crate::callbacks::CallbackTransport;
#[cfg(not(feature = "tls"))]
use crate::error::duplicate as copy_of;
use crate::event_loop::LoopHandle;
use crate::net::{StreamReader, open_connection};
use crate::wait::change::Change;
use crate::wait::one::OneWaiter;
use crate::wait::turn::let_others_run;

/// Connects to a host by TCP, and gives a reader and a writer. The counterpart of
/// `asyncio.open_connection`.
///
/// It connects as [`open_connection`] does. Small writes are sent at once (`TCP_NODELAY`).
/// [`streams`] makes the same pair of any connected stream.
///
/// ```
/// use coro::net::{open_streams, start_server, streams};
///
/// coro::run(async {
///     let server = start_server("127.0.0.1:0", async |stream, _peer| {
///         let (mut reader, writer) = streams(stream);
///         while let Some(line) = reader.read_line().await.map_err(std::io::Error::other)? {
///             writer.write(line.to_uppercase().as_bytes());
///             writer.write(b"\n");
///             writer.drain().await?;
///         }
///         writer.close();
///         writer.wait_closed().await
///     })?;
///
///     let (mut reader, writer) = open_streams("localhost", server.local_addr()?.port()).await?;
///     writer.write(b"hello\n");
///     writer.write_eof();
///     assert_eq!(reader.read_line().await.unwrap(), Some("HELLO"));
///     writer.close();
///     writer.wait_closed().await
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// A [`ConnectError`](crate::net::ConnectError) inside an `io::Error`, which keeps the error of every
/// address that was tried.
///
/// # Panics
///
/// When polled outside of a loop.
pub async fn open_streams(
    host: impl Into<String>,
    port: u16,
) -> io::Result<(StreamReader<TransportReader>, StreamWriter)> {
    let stream = open_connection(host, port).await?;
    stream.set_nodelay(true)?;
    let peer = stream.peer_addr().ok();
    Ok(pair(stream, peer))
}

/// Makes a reader and a writer of a connected stream, such as one that a server's handler was called
/// with, a Unix socket, or TLS over either.
///
/// [`open_streams`] has an example of a server. The reader and the writer can be given to different
/// tasks. When both are dropped, the connection is [closed](StreamWriter::close) in order; when only
/// the writer is dropped, the other end reads its end, after all that was written.
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn streams<S>(stream: S) -> (StreamReader<TransportReader>, StreamWriter)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    pair(stream, None)
}

#[track_caller]
fn pair<S>(stream: S, peer: Option<SocketAddr>) -> (StreamReader<TransportReader>, StreamWriter)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let shared = Rc::<Flow>::default();
    let (transport, driver) = Transport::with_driver(stream, FlowProtocol(shared.clone()), peer);
    transport.pause_reading(); // the reader takes the bytes from the stream itself
    drop(LoopHandle::current().spawn(driver));
    let reader = TransportReader {
        transport: transport.clone(),
        flow: shared.clone(),
    };
    let writer = StreamWriter {
        transport,
        flow: shared,
    };
    (StreamReader::new(reader), writer)
}

/// The state of a connection that its reader and its writer wait for.
#[derive(Default)]
struct Flow {
    writing_paused: Cell<bool>,
    /// The connection is lost, with or without an error.
    lost: RefCell<Option<Option<io::Error>>>,
    /// The waiters of `drain` and `wait_closed`.
    change: Change,
    /// The task that reads, to be told of the end of the connection.
    reader: OneWaiter,
}

impl Flow {
    #[inline]
    fn is_lost(&self) -> bool {
        self.lost.borrow().is_some()
    }

    /// The error that the connection was lost with.
    #[inline]
    fn error(&self) -> Option<io::Error> {
        self.lost.borrow().as_ref()?.as_ref().map(copy_of)
    }
}

/// Passes the callbacks of the transport on to the waiters.
struct FlowProtocol(Rc<Flow>);

impl Protocol for FlowProtocol {
    /// Never called: reading is paused.
    #[inline]
    fn data_received(&mut self, _: &[u8]) {}

    #[inline]
    fn eof_received(&mut self) -> bool {
        true // as in asyncio, the writer goes on
    }

    #[inline]
    fn connection_lost(&mut self, error: Option<io::Error>) {
        self.0.lost.replace(Some(error));
        self.0.reader.wake();
        self.0.change.announce();
    }

    #[inline]
    fn pause_writing(&mut self) {
        self.0.writing_paused.set(true);
    }

    #[inline]
    fn resume_writing(&mut self) {
        self.0.writing_paused.set(false);
        self.0.change.announce();
    }
}

/// The reading end of a connection whose writing end is a [`StreamWriter`]; inside of a
/// [`StreamReader`].
///
/// Bytes are taken from the stream when they are asked for. So a reader that does not read makes the
/// other end wait, and learns of the end of the connection late. After an error of reading the
/// connection is lost. After [`StreamWriter::close`] it reads the end.
pub struct TransportReader {
    transport: Transport,
    flow: Rc<Flow>,
}

impl AsyncRead for TransportReader {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let (connection, flow) = (self.transport.connection(), &self.flow);
        if buffer.is_empty() || connection.has_read_eof() {
            return Poll::Ready(Ok(0));
        }
        if let Some(error) = flow.error() {
            return Poll::Ready(Err(error));
        }
        if flow.is_lost() || connection.life().is_closing() && !connection.life().is_broken() {
            return Poll::Ready(Ok(0));
        }
        flow.reader.wait(cx);
        if connection.life().is_broken() {
            return Poll::Pending; // the driver tells of the error in its next step
        }
        let read = ready!(connection.poll_read(cx, buffer));
        flow.reader.forget();
        match &read {
            Ok(0) => connection.on_eof(),
            Ok(_) => {}
            Err(error) => connection.fail(copy_of(error)),
        }
        Poll::Ready(read)
    }
}

impl fmt::Debug for TransportReader {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportReader")
            .field("closing", &self.transport.is_closing())
            .finish_non_exhaustive()
    }
}

/// Writes to a connection without waiting, and waits by [`drain`](Self::drain) until the other end
/// keeps up. The counterpart of `asyncio.StreamWriter`; made by [`open_streams`] and [`streams`].
///
/// [`write`](Self::write) sends the bytes at once if it can, and otherwise has the loop send them
/// later. A program that writes much awaits `drain` now and then: it returns at once while few bytes
/// wait, and above the [high limit](Self::set_write_buffer_limits) it waits until no more than the
/// low limit are left. Without it, the bytes that wait grow without bound.
///
/// Any number of tasks may write and drain. The halves of
/// [`TcpStream::into_split`](crate::net::TcpStream::into_split) are the other way to write: there, each write waits.
///
/// # Dropping
///
/// The bytes that were written are sent all the same, and then the end of writing. When the
/// [`StreamReader`] is dropped, too, the connection is closed in order, by a task of the loop. When
/// the loop ends, that is cut short: a program that has to be sure awaits
/// [`wait_closed`](Self::wait_closed), and so does a server's handler, which otherwise no longer
/// counts as a connection of its server.
pub struct StreamWriter {
    transport: Transport,
    flow: Rc<Flow>,
}

impl StreamWriter {
    /// Sends bytes: as many as go at once, and the rest as soon as the other end takes them. Gives
    /// how many bytes wait.
    ///
    /// It never waits. Errors come from `drain` and `wait_closed`. Bytes that are written after
    /// `close`, or to a connection that is lost, are ignored; a program that goes on doing so is
    /// reported to the loop's exception handler.
    ///
    /// # Panics
    ///
    /// After [`write_eof`](Self::write_eof).
    #[inline]
    pub fn write(&self, bytes: &[u8]) -> usize {
        self.transport.write(bytes)
    }

    /// As [`write`](Self::write), for several pieces one after another, with one call of the
    /// system's if it can. The counterpart of `writelines`.
    ///
    /// # Panics
    ///
    /// After [`write_eof`](Self::write_eof).
    #[inline]
    pub fn write_vectored(&self, slices: &[IoSlice<'_>]) -> usize {
        self.transport.write_vectored(slices)
    }

    /// Waits until the other end keeps up: while more bytes wait than the high limit allows, until
    /// no more than the low limit do. Dropping the wait loses nothing.
    ///
    /// # Errors
    ///
    /// The error that the connection was lost with, each time;
    /// [`NotConnected`](ErrorKind::NotConnected) if it was lost without one, as it is after `close`,
    /// and when the loop ends.
    #[inline]
    pub async fn drain(&self) -> io::Result<()> {
        if self.transport.is_closing() {
            let_others_run().await; // as in asyncio: so that a loop of writes learns of the loss
        }
        let flow = &self.flow;
        let may_write = || flow.is_lost() || !flow.writing_paused.get();
        flow.change.until(may_write).await;
        match flow.error() {
            Some(error) => Err(error),
            None if flow.is_lost() => Err(closed()),
            None => Ok(()),
        }
    }

    /// Sends the end of writing after all bytes that were written; the reader goes on. The second
    /// time it does nothing.
    #[inline]
    pub fn write_eof(&self) {
        self.transport.write_eof();
    }

    /// Ends the connection in order: sends the bytes that were written and the end of them, and
    /// waits, at most for 30 seconds, for the end of the other end. The reader reads its end at
    /// once; bytes that still come are dropped.
    ///
    /// Await [`wait_closed`](Self::wait_closed) after it. The second time it does nothing.
    #[inline]
    pub fn close(&self) {
        self.transport.close();
        self.flow.reader.wake();
    }

    /// Ends the connection at once, without sending the bytes that wait. The other end may lose
    /// bytes that were sent before.
    #[inline]
    pub fn abort(&self) {
        self.transport.abort();
    }

    /// Whether the connection is ending, or has ended.
    #[inline]
    pub fn is_closing(&self) -> bool {
        self.transport.is_closing()
    }

    /// Waits until the connection is closed: by `close`, by `abort` or by an error. Dropping the
    /// wait loses nothing.
    ///
    /// It does not close the connection: call [`close`](Self::close) first.
    ///
    /// # Errors
    ///
    /// The error that the connection was lost with, after which it is unknown whether everything
    /// that was written has arrived.
    #[inline]
    pub async fn wait_closed(&self) -> io::Result<()> {
        self.flow.change.until(|| self.flow.is_lost()).await;
        match self.flow.error() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Sets above how many waiting bytes [`drain`](Self::drain) waits, `high`, and for how few,
    /// `low`: 64 KiB and 16 KiB by default, as in asyncio. See
    /// [`Transport::set_write_buffer_limits`].
    ///
    /// # Panics
    ///
    /// If `low` is above `high`.
    #[inline]
    pub fn set_write_buffer_limits(&self, high: Option<usize>, low: Option<usize>) {
        self.transport.set_write_buffer_limits(high, low);
    }

    /// How many bytes wait to be sent.
    #[inline]
    pub fn get_write_buffer_size(&self) -> usize {
        self.transport.get_write_buffer_size()
    }

    /// Calls `f` with the stream, if it is an `S` and still open; see [`Transport::with_stream`].
    pub fn with_stream<S: 'static, T>(&self, f: impl FnOnce(&S) -> T) -> Option<T> {
        self.transport.with_stream(f)
    }

    /// The address of the other end of a TCP connection; of one that [`open_streams`] has made also
    /// once it is lost.
    #[inline]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.transport.peer_addr()
    }

    /// The address of this end of a TCP connection, unless that is closed.
    #[inline]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.transport.local_addr()
    }
}

#[inline]
fn closed() -> io::Error {
    let text = "the connection was closed here, so that nothing more is sent";
    io::Error::new(ErrorKind::NotConnected, text)
}

impl Drop for StreamWriter {
    #[inline]
    fn drop(&mut self) {
        self.transport.write_eof();
    }
}

impl fmt::Debug for StreamWriter {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamWriter")
            .field("closing", &self.is_closing())
            .field("to_write", &self.get_write_buffer_size())
            .finish()
    }
}

#[cfg(feature = "tls")]
mod tls {
    use super::*;
    use crate::net::tls::{TlsAcceptor, TlsConnector, check_unread};

    impl StreamWriter {
        /// Goes on in TLS, as the client, after the other end has agreed to it in plain text. The
        /// counterpart of `StreamWriter.start_tls`. Feature `tls`.
        ///
        /// Bytes that were written before are sent in plain text first; bytes that are written
        /// meanwhile wait, and go by TLS. Dropping the future before it is done aborts the
        /// connection.
        ///
        /// # Errors
        ///
        /// Those of [`Transport::start_tls`]; and [`InvalidData`](ErrorKind::InvalidData) if the
        /// reader has read more bytes than were taken from it: they came in plain text, perhaps from
        /// an attacker. Then nothing was done.
        ///
        /// # Panics
        ///
        /// If the reader belongs to another connection, and if it has to wait outside of a loop.
        #[inline]
        pub async fn start_tls(
            &self,
            reader: &mut StreamReader<TransportReader>,
            connector: &TlsConnector,
            server_name: &str,
        ) -> io::Result<()> {
            self.check_reader(reader)?;
            self.transport.start_tls(connector, server_name).await
        }

        /// As [`start_tls`](Self::start_tls), as the server. Feature `tls`.
        ///
        /// # Errors
        ///
        /// Those of [`Transport::start_tls_server`], and those of bytes that were not taken.
        ///
        /// # Panics
        ///
        /// If the reader belongs to another connection, and if it has to wait outside of a loop.
        #[inline]
        pub async fn start_tls_server(
            &self,
            reader: &mut StreamReader<TransportReader>,
            acceptor: &TlsAcceptor,
        ) -> io::Result<()> {
            self.check_reader(reader)?;
            self.transport.start_tls_server(acceptor).await
        }

        #[inline]
        fn check_reader(&self, reader: &StreamReader<TransportReader>) -> io::Result<()> {
            assert!(
                Rc::ptr_eq(&reader.get_ref().flow, &self.flow),
                "start_tls() with the reader of another connection: give the one that was made with \
                 this writer"
            );
            check_unread(reader.buffer().len())
        }
    }
}
