//! A protocol: the callbacks of a connection.

use std::io;

use super::Transport;
use crate::callbacks::callbacks_of;

/// The callbacks of a connection: the counterpart of `asyncio.Protocol`.
///
/// The loop calls them in this order: [`connection_made`](Self::connection_made) once; then
/// [`data_received`](Self::data_received) any number of times;
/// [`eof_received`](Self::eof_received) once at most; and
/// [`connection_lost`](Self::connection_lost) exactly once, whichever way the connection ends.
/// Meanwhile [`pause_writing`](Self::pause_writing) and [`resume_writing`](Self::resume_writing)
/// take turns.
///
/// A callback may call every method of the [`Transport`]. None of them calls back into the protocol
/// that is being called: the calls that they lead to come when the callback has returned.
///
/// A callback that panics is reported to the loop's exception handler, and its connection is
/// aborted: `connection_lost` is called with an error that says so, and no other callback is.
///
/// ```
/// use coro::net::{self, Protocol, Transport};
///
/// #[derive(Default)]
/// struct Echo(Option<Transport>);
///
/// impl Protocol for Echo {
///     fn connection_made(&mut self, transport: &Transport) {
///         self.0 = Some(transport.clone());
///     }
///
///     fn data_received(&mut self, data: &[u8]) {
///         if let Some(transport) = &self.0 {
///             transport.write(data);
///         }
///     }
/// }
///
/// coro::run(async {
///     use futures::{AsyncReadExt, AsyncWriteExt};
///     let server = net::create_server(Echo::default, "127.0.0.1:0")?;
///     let mut client = net::TcpStream::connect(server.local_addr()?).await?;
///     client.write_all(b"hello").await?;
///     let mut answer = [0; 5];
///     client.read_exact(&mut answer).await?;
///     assert_eq!(&answer, b"hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
pub trait Protocol: 'static {
    /// The connection is made. Keep a clone of the transport to write to it.
    fn connection_made(&mut self, transport: &Transport) {
        let _ = transport;
    }

    /// Bytes were received: as many as there were, wherever messages begin and end in them.
    ///
    /// They are in a buffer that the loop reuses: copy the bytes that are needed later.
    fn data_received(&mut self, data: &[u8]);

    /// The other end will send no more. Gives whether to keep this direction open.
    ///
    /// False, the default, [closes](Transport::close) the transport. After true the protocol may go
    /// on writing, and has to close the transport itself.
    fn eof_received(&mut self) -> bool {
        false
    }

    /// The connection is over: the last call.
    ///
    /// With `None` after [`close`](Transport::close), [`abort`](Transport::abort), the end of the
    /// other end, and the end of the loop. With an error if the connection broke, also after a
    /// `close` whose last bytes may not have arrived, and if the protocol panicked. The transport
    /// still gives its addresses, and ignores writes.
    fn connection_lost(&mut self, error: Option<io::Error>) {
        let _ = error;
    }

    /// More bytes than the high limit wait to be written: the protocol should stop writing.
    ///
    /// It is called inside of the [`write`](Transport::write) that goes over the limit. If the
    /// protocol wrote that itself, it is called as soon as the callback returns. See
    /// [`set_write_buffer_limits`](Transport::set_write_buffer_limits).
    fn pause_writing(&mut self) {}

    /// No more bytes than the low limit wait to be written: the protocol may go on writing.
    fn resume_writing(&mut self) {}

    #[doc(hidden)]
    fn buffered(&mut self) -> Option<&mut dyn BufferedProtocol> {
        None
    }
}

callbacks_of!(dyn Protocol);

/// A protocol that provides the memory to receive into: the counterpart of
/// `asyncio.BufferedProtocol`.
///
/// For a protocol that wants its data at a place of its own, without a copy. Others are better
/// served by [`Protocol`], whose connections share one buffer. [`Buffered`] makes a protocol of it.
///
/// ```
/// use coro::net::{self, Buffered, BufferedProtocol};
///
/// /// Takes a file of known length.
/// struct File {
///     bytes: Vec<u8>,
///     received: usize,
/// }
///
/// impl BufferedProtocol for File {
///     fn get_buffer(&mut self, _hint: usize) -> &mut [u8] {
///         &mut self.bytes[self.received..]
///     }
///
///     fn buffer_updated(&mut self, len: usize) {
///         self.received += len;
///     }
/// }
///
/// # coro::run(async {
/// let server = net::create_server(
///     || Buffered(File { bytes: vec![0; 1000], received: 0 }),
///     "127.0.0.1:0",
/// )?;
/// # drop(server);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub trait BufferedProtocol: 'static {
    /// As [`Protocol::connection_made`].
    fn connection_made(&mut self, transport: &Transport) {
        let _ = transport;
    }

    /// Gives the memory for the next bytes; about `hint` bytes of it would be good.
    ///
    /// It is called whenever there may be bytes to receive, and so also, now and then, when there
    /// are none. Memory of no length ends the connection with an error.
    fn get_buffer(&mut self, hint: usize) -> &mut [u8];

    /// `len` bytes were received, at the beginning of the buffer that was given last.
    fn buffer_updated(&mut self, len: usize);

    /// As [`Protocol::eof_received`].
    fn eof_received(&mut self) -> bool {
        false
    }

    /// As [`Protocol::connection_lost`].
    fn connection_lost(&mut self, error: Option<io::Error>) {
        let _ = error;
    }

    /// As [`Protocol::pause_writing`].
    fn pause_writing(&mut self) {}

    /// As [`Protocol::resume_writing`].
    fn resume_writing(&mut self) {}
}

/// Makes a [`Protocol`] of a [`BufferedProtocol`].
#[derive(Debug, Default, Clone)]
pub struct Buffered<B>(pub B);

impl<B: BufferedProtocol> Protocol for Buffered<B> {
    fn connection_made(&mut self, transport: &Transport) {
        self.0.connection_made(transport);
    }

    /// Fills buffer after buffer: for a program that calls this itself. A transport receives into
    /// the buffers directly.
    fn data_received(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            let buffer = self.0.get_buffer(data.len());
            let len = buffer.len().min(data.len());
            assert!(len > 0, "get_buffer() gave a buffer of no length");
            buffer[..len].copy_from_slice(&data[..len]);
            self.0.buffer_updated(len);
            data = &data[len..];
        }
    }

    fn eof_received(&mut self) -> bool {
        self.0.eof_received()
    }

    fn connection_lost(&mut self, error: Option<io::Error>) {
        self.0.connection_lost(error);
    }

    fn pause_writing(&mut self) {
        self.0.pause_writing();
    }

    fn resume_writing(&mut self) {
        self.0.resume_writing();
    }

    fn buffered(&mut self) -> Option<&mut dyn BufferedProtocol> {
        Some(&mut self.0)
    }
}
