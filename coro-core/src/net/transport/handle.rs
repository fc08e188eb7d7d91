//! The transport: a handle by which a program writes to a connection, steers it or ends it.

use std::fmt;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::rc::Rc;

use futures::io::{AsyncRead, AsyncWrite};

use super::Protocol;
use super::connection::Connection;
use super::layers;
use crate::callbacks::{CallbackTransport, Driver, WriteLimits};
use crate::event_loop::LoopHandle;
use crate::net::TcpStream;

/// A connection as its [`Protocol`] sees it: the counterpart of `asyncio.Transport`.
///
/// A handle: clones are of the same connection. No method waits. Only [`write`](Self::write) and
/// [`set_write_buffer_limits`](Self::set_write_buffer_limits) call the protocol, by
/// [`pause_writing`](Protocol::pause_writing) and `resume_writing`, and only if it is not being
/// called already. So every method may be called from every callback.
///
/// # Who owns the connection
///
/// The loop does, by a task for each. Dropping handles does not close a connection that reads, as
/// its protocol still receives data. A connection that does not read, as reading is paused or has
/// come to its end, [closes](Self::close) itself when its last handle is dropped. When the loop
/// ends, its connections are closed at once, without sending the bytes that wait, and
/// `connection_lost` is called.
pub struct Transport {
    connection: Rc<Connection>,
}

impl Transport {
    /// Makes a transport over a stream, which can be anything that reads and writes without
    /// blocking: a socket of [`net`](crate::net), one end of a pair of pipes, TLS over either.
    ///
    /// The loop calls [`connection_made`](Protocol::connection_made) in its next turn, and reads
    /// after that. Bytes that are written before are sent then, too.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn new<S, P>(stream: S, protocol: P) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
        P: Protocol,
    {
        let (transport, driver) = Self::with_driver(stream, protocol, None);
        drop(LoopHandle::current().spawn(driver));
        transport
    }

    /// A connection that does nothing until its driver is spawned.
    #[track_caller]
    pub(super) fn with_driver<S, P>(
        stream: S,
        protocol: P,
        peer: Option<SocketAddr>,
    ) -> (Self, Driver<Connection>)
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
        P: Protocol,
    {
        let of = LoopHandle::current();
        let connection = Connection::new(of, Box::new(stream), Box::new(protocol), peer);
        let transport = Self::new_handle(connection.clone());
        (transport, Driver::new(connection, begin))
    }

    #[inline]
    pub(super) fn new_handle(connection: Rc<Connection>) -> Self {
        connection.handles().set(connection.handles().get() + 1);
        Transport { connection }
    }

    #[inline]
    pub(super) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    /// Sends bytes: as many as go at once, and the rest as soon as it can.
    ///
    /// It never waits, and gives how many bytes wait. A program that writes more than the other end
    /// reads has to respect [`pause_writing`](Protocol::pause_writing), or the bytes that wait grow
    /// without bound. Bytes that are written when the transport is closing are ignored; a program
    /// that goes on doing so is reported to the loop's exception handler.
    ///
    /// # Panics
    ///
    /// After [`write_eof`](Self::write_eof).
    #[inline]
    pub fn write(&self, bytes: &[u8]) -> usize {
        self.connection.write(
            bytes.len(),
            |stream, cx| stream.poll_write(cx, bytes),
            |out, written| out.push(&bytes[written..]),
        );
        self.connection.buffered()
    }

    /// Sends several pieces one after another, with one call of the system's if it can; as
    /// [`write`](Self::write) otherwise. The counterpart of `writelines`.
    ///
    /// # Panics
    ///
    /// After [`write_eof`](Self::write_eof).
    #[inline]
    pub fn write_vectored(&self, slices: &[IoSlice<'_>]) -> usize {
        self.connection.write(
            slices.iter().map(|slice| slice.len()).sum(),
            |stream, cx| stream.poll_write_vectored(cx, slices),
            |out, written| out.push_rest(slices, written),
        );
        self.connection.buffered()
    }

    /// Shuts down the writing half: sends its end after all bytes that were written. The reading
    /// half stays open. The second time it does nothing.
    #[inline]
    pub fn write_eof(&self) {
        self.connection.write_eof();
    }

    /// Whether [`write_eof`](Self::write_eof) leaves the other direction open; all streams of
    /// [`net`](crate::net) do.
    #[inline]
    pub fn can_write_eof(&self) -> bool {
        true
    }

    /// Ends the connection in order. The protocol receives no more data. The bytes that were
    /// written are sent, and the end of them. Once the other end has ended too,
    /// [`connection_lost`](Protocol::connection_lost) is called and the stream is closed. The
    /// second time it does nothing.
    ///
    /// The other end is waited for because systems reset a connection that is closed while bytes
    /// come for it, and then the other end may lose the bytes that it was sent last. Bytes that
    /// come meanwhile are read and dropped. The wait ends after 30 seconds, or when no byte has
    /// come for 5. Over TLS the stream's own wait, within its shutdown limit, comes before that.
    ///
    /// `connection_lost` is called with `None` if all was sent and the other end has ended, or was
    /// silent. It is called with an error if the other end has reset the connection, and with
    /// [`TimedOut`](std::io::ErrorKind::TimedOut) if it still sent after 30 seconds, as then this
    /// end resets the connection.
    ///
    /// How long it takes to send the bytes is up to the other end. [`abort`](Self::abort) cuts
    /// everything short.
    #[inline]
    pub fn close(&self) {
        self.connection.close();
    }

    /// Ends the connection at once, without sending the bytes that wait and without waiting for the
    /// other end; [`connection_lost`](Protocol::connection_lost) is called, with `None`.
    ///
    /// If bytes lie unread, or come later, the system resets the connection, and the other end may
    /// lose the bytes that it was sent last.
    #[inline]
    pub fn abort(&self) {
        self.connection.abort();
    }

    /// Whether the connection is ending, or has ended.
    #[inline]
    pub fn is_closing(&self) -> bool {
        self.connection.life().is_closing()
    }

    /// Stops calls of `data_received` until [`resume_reading`](Self::resume_reading). Bytes that
    /// the other end sends wait in the system, and when its buffer is full, the other end waits.
    ///
    /// The end of the connection, too, is then noticed by writing only.
    #[inline]
    pub fn pause_reading(&self) {
        self.connection.pause_reading();
    }

    /// Goes on receiving. It does nothing if reading was not paused.
    #[inline]
    pub fn resume_reading(&self) {
        self.connection.resume_reading();
    }

    /// Whether the protocol receives data: reading is not paused, has not come to its end, and the
    /// transport is not closing.
    #[inline]
    pub fn is_reading(&self) -> bool {
        self.connection.is_reading()
    }

    /// Sets how many bytes may wait to be written before
    /// [`pause_writing`](Protocol::pause_writing) is called, which is when there are more than
    /// `high`, and how many may be left when `resume_writing` is, which is `low`.
    ///
    /// Without `high` it is four times `low`, and without both 64 KiB; without `low` it is a
    /// quarter of `high`. If `high` is zero, every byte that waits pauses the protocol. New limits
    /// are applied at once.
    ///
    /// # Panics
    ///
    /// If `low` is above `high`.
    #[inline]
    pub fn set_write_buffer_limits(&self, high: Option<usize>, low: Option<usize>) {
        self.connection.set_limits(WriteLimits::new(high, low));
    }

    /// The limits as `(low, high)`, as asyncio gives them.
    #[inline]
    pub fn get_write_buffer_limits(&self) -> (usize, usize) {
        self.connection.limits().get()
    }

    /// How many bytes wait to be written.
    #[inline]
    pub fn get_write_buffer_size(&self) -> usize {
        self.connection.buffered()
    }

    /// Sets another protocol, which is called from now on; the protocol before is dropped. The new
    /// one's `connection_made` is not called, but its `pause_writing` is if writing is paused.
    ///
    /// Within a callback this takes effect with the next callback.
    pub fn set_protocol(&self, protocol: impl Protocol) {
        self.connection.set_protocol(Box::new(protocol));
    }

    /// Calls `f` with the stream that the transport was made over, if it is an `S` and still open:
    /// for its options, or for facts of the connection. The counterpart of `get_extra_info`. After
    /// `start_tls`, `S` can be the stream of TLS or the stream below it.
    ///
    /// ```
    /// # use coro::net::{TcpStream, Transport};
    /// # fn example(transport: &Transport) {
    /// let nodelay = transport.with_stream(|stream: &TcpStream| stream.nodelay());
    /// # }
    /// ```
    pub fn with_stream<S: 'static, T>(&self, f: impl FnOnce(&S) -> T) -> Option<T> {
        self.connection
            .with_stream_ref(|stream| layers::find(stream).map(f))
    }

    /// The address of the other end of a TCP connection, also once the connection is lost.
    #[inline]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        let known = self.connection.peer();
        known.or_else(|| self.with_stream(TcpStream::peer_addr)?.ok())
    }

    /// The address of this end of a TCP connection, unless that is closed.
    #[inline]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.with_stream(TcpStream::local_addr)?.ok()
    }
}

/// Calls `connection_made`, from the driver's first step.
#[inline]
fn begin(connection: &Rc<Connection>) {
    let transport = Transport::new_handle(connection.clone());
    connection.call(|protocol| protocol.connection_made(&transport));
}

impl Clone for Transport {
    #[inline]
    fn clone(&self) -> Self {
        Self::new_handle(self.connection.clone())
    }
}

impl Drop for Transport {
    #[inline]
    fn drop(&mut self) {
        let left = self.connection.handles().get() - 1;
        self.connection.handles().set(left);
        if left == 0 && !self.connection.is_reading() {
            self.connection.life().wake();
        }
    }
}

impl fmt::Debug for Transport {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("closing", &self.is_closing())
            .field("reading", &self.is_reading())
            .field("to_write", &self.get_write_buffer_size())
            .finish()
    }
}
