//! The handle by which a program writes to a connection, steers it or ends it.

use std::fmt;
use std::future::poll_fn;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;

use futures::io::{AsyncRead, AsyncWrite};

use super::Protocol;
use super::connection::Connection;
use super::driver::Driver;
use super::protocol_cell::Limits;
use crate::event_loop::LoopHandle;
use crate::net::TcpStream;

/// A connection as its [`Protocol`] sees it: the counterpart of `asyncio.Transport`.
///
/// A handle: clones are of the same connection. No method waits, and none calls the protocol, but
/// for [`write`](Self::write) and [`set_write_buffer_limits`](Self::set_write_buffer_limits), which
/// may call [`pause_writing`](Protocol::pause_writing) and `resume_writing`; and those not while the
/// protocol is being called already, so that all methods may be called from everywhere in it.
///
/// # Who owns the connection
///
/// The loop does, by a task for each. Dropping handles does not close a connection that reads, as
/// its protocol is still told of what comes. One that does not, since reading is paused or has come
/// to its end, can do nothing more for anybody when its last handle is dropped: it
/// [closes](Self::close) itself. When the loop ends, its connections are closed at once, without
/// sending what waits.
pub struct Transport {
    connection: Rc<Connection>,
}

impl Transport {
    /// Has `protocol` told of whatever happens on `stream`, which can be anything that reads and
    /// writes without blocking: a socket of [`net`](crate::net), one end of a pair of pipes, TLS
    /// over either.
    ///
    /// The loop calls [`connection_made`](Protocol::connection_made) in its next turn, and reads
    /// after that. What is written before is sent then, too.
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

    /// A connection that does nothing yet: somebody has to spawn its driver.
    #[track_caller]
    pub(super) fn with_driver<S, P>(
        stream: S,
        protocol: P,
        peer: Option<SocketAddr>,
    ) -> (Self, Driver)
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
        P: Protocol,
    {
        let of = LoopHandle::current();
        let connection = Connection::new(of, Box::new(stream), Box::new(protocol), peer);
        let transport = Self::new_handle(connection.clone());
        (transport, Driver::new(connection))
    }

    pub(super) fn new_handle(connection: Rc<Connection>) -> Self {
        connection.handles().set(connection.handles().get() + 1);
        Transport { connection }
    }

    pub(super) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    pub(super) fn is_made(&self) -> bool {
        self.connection.is_made()
    }

    /// Waits until `connection_made` has been called.
    pub(super) async fn made(&self) {
        poll_fn(|cx| match self.is_made() {
            true => Poll::Ready(()),
            false => {
                cx.waker().wake_by_ref(); // the driver stands in the queue before us
                Poll::Pending
            }
        })
        .await;
    }

    /// Sends bytes: as many as go at once, and the rest as soon as it can.
    ///
    /// It never waits. Whoever writes more than the other end reads has to heed
    /// [`pause_writing`](Protocol::pause_writing), or what waits grows without bound; how much that
    /// is, is given. What is written when the transport is closing is ignored; a program that goes
    /// on doing so is reported to the loop's exception handler.
    ///
    /// # Panics
    ///
    /// After [`write_eof`](Self::write_eof).
    pub fn write(&self, bytes: &[u8]) -> usize {
        self.connection.write(
            bytes.len(),
            |stream, cx| stream.poll_write(cx, bytes),
            |out, written| out.push(&bytes[written..]),
        );
        self.connection.buffered()
    }

    /// Sends several pieces one after another, as [`write`](Self::write) does one, with one call of
    /// the system's where it can. The counterpart of `writelines`.
    ///
    /// # Panics
    ///
    /// After [`write_eof`](Self::write_eof).
    pub fn write_vectored(&self, slices: &[IoSlice<'_>]) -> usize {
        self.connection.write(
            slices.iter().map(|slice| slice.len()).sum(),
            |stream, cx| stream.poll_write_vectored(cx, slices),
            |out, written| out.push_rest(slices, written),
        );
        self.connection.buffered()
    }

    /// Tells the other end, after all that was written, that no more will be. It can still be read
    /// from. The second time it does nothing.
    pub fn write_eof(&self) {
        self.connection.write_eof();
    }

    /// Whether [`write_eof`](Self::write_eof) leaves the other direction open; all streams of
    /// [`net`](crate::net) do.
    pub fn can_write_eof(&self) -> bool {
        true
    }

    /// Ends the connection in order: the protocol is told of no more data, what was written is sent
    /// and its end with it, and once the other end has ended too the stream is closed and
    /// [`connection_lost`](Protocol::connection_lost) is called. The second time it does nothing.
    ///
    /// The other end is waited for because systems reset a connection that is closed while something
    /// comes for it, and then the other end may lose what it was sent last. What comes meanwhile is
    /// read and dropped. The wait ends after 30 seconds, or when nothing has come for 5. Over TLS the
    /// stream's own wait, within its shutdown limit, comes before that.
    ///
    /// `connection_lost` is called with `None` if all was sent and nothing speaks against its having
    /// arrived: the other end has ended, or was silent. It is called with an error if the other end
    /// has reset the connection, and with [`TimedOut`](std::io::ErrorKind::TimedOut) if it still
    /// sent after 30 seconds, as then it is this end that resets the connection.
    ///
    /// How long it takes to send what was written is up to the other end.
    /// [`abort`](Self::abort) cuts everything short.
    pub fn close(&self) {
        self.connection.close();
    }

    /// Ends the connection at once, without sending what waits and without waiting for the other
    /// end; [`connection_lost`](Protocol::connection_lost) is called, with `None`.
    ///
    /// If something lies unread, or comes later, the system resets the connection, and the other end
    /// may lose what it was sent last.
    pub fn abort(&self) {
        self.connection.abort();
    }

    /// Whether the connection is ending, or has ended.
    pub fn is_closing(&self) -> bool {
        self.connection.is_closing()
    }

    /// Has the protocol receive nothing until [`resume_reading`](Self::resume_reading): not one
    /// more call of `data_received`. What the other end sends waits in the system, and when that is
    /// full, the other end waits.
    ///
    /// The end of the connection, too, is then noticed by writing only.
    pub fn pause_reading(&self) {
        self.connection.pause_reading();
    }

    /// Goes on receiving. It does nothing if reading was not paused.
    pub fn resume_reading(&self) {
        self.connection.resume_reading();
    }

    /// Whether the protocol is told of what comes: reading is not paused, has not come to its end,
    /// and the transport is not closing.
    pub fn is_reading(&self) -> bool {
        self.connection.is_reading()
    }

    /// Sets how many bytes may wait to be written before
    /// [`pause_writing`](Protocol::pause_writing) is called, which is when there are more than
    /// `high`, and how many may be left when `resume_writing` is, which is `low`.
    ///
    /// Without `high` it is four times `low`, and without that 64 KiB; without `low` it is a
    /// quarter of `high`. Zero for `high` has every byte that waits pause the protocol. Limits that
    /// are set are applied at once.
    ///
    /// # Panics
    ///
    /// If `low` is above `high`.
    pub fn set_write_buffer_limits(&self, high: Option<usize>, low: Option<usize>) {
        self.connection.set_limits(Limits::new(high, low));
    }

    /// The limits as `(low, high)`, as asyncio gives them.
    pub fn get_write_buffer_limits(&self) -> (usize, usize) {
        let limits = self.connection.limits();
        (limits.low, limits.high)
    }

    /// How many bytes wait to be written.
    pub fn get_write_buffer_size(&self) -> usize {
        self.connection.buffered()
    }

    /// Has another protocol called from now on; the one before is dropped. Its
    /// `connection_made` is not called, but if writing is paused it is told so.
    ///
    /// Within a callback this takes effect with the next one.
    pub fn set_protocol(&self, protocol: impl Protocol) {
        self.connection.set_protocol(Box::new(protocol));
    }

    /// Calls `f` with the stream that the transport was made over, if it is an `S` and still there:
    /// for its options, or for what it knows of the connection. The counterpart of
    /// `get_extra_info`. If TLS was put on that, it can be asked for as well as what lies below.
    ///
    /// ```
    /// # use coro::net::{TcpStream, Transport};
    /// # fn example(transport: &Transport) {
    /// let nodelay = transport.with_stream(|stream: &TcpStream| stream.nodelay());
    /// # }
    /// ```
    pub fn with_stream<S: 'static, T>(&self, f: impl FnOnce(&S) -> T) -> Option<T> {
        self.connection
            .with_stream_ref(|stream| stream.find().map(f))
    }

    /// The address of the other end of a TCP connection, also when that is gone.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        let known = self.connection.peer();
        known.or_else(|| self.with_stream(TcpStream::peer_addr)?.ok())
    }

    /// The address of this end of a TCP connection, unless that is closed.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.with_stream(TcpStream::local_addr)?.ok()
    }
}

impl Clone for Transport {
    fn clone(&self) -> Self {
        Self::new_handle(self.connection.clone())
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        let left = self.connection.handles().get() - 1;
        self.connection.handles().set(left);
        if left == 0 && !self.connection.is_reading() {
            self.connection.wake();
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("closing", &self.is_closing())
            .field("reading", &self.is_reading())
            .field("to_write", &self.get_write_buffer_size())
            .finish()
    }
}
