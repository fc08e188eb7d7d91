//! The orderly close of a stream that still may be sent something.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};

use crate::wait::until::Until;

/// How much is read at once, and how often in a step.
const BUFFER: usize = 16 * 1024;
const READS_PER_STEP: usize = 32;

/// Closes a stream so that what was written arrives, though the other end may still send: ends
/// writing, reads and drops what comes until the other end has ended too, then drops the stream.
///
/// For one who has nothing more to read, as a server that refuses a request in the midst of it.
/// Merely to close and drop a stream is enough only if the other end sends nothing more: systems
/// reset a connection that is dropped with something unread, or for which something comes
/// afterwards, and a reset drops what was written and has not been read at the other end. One who
/// reads on to the end does not need this.
///
/// The other end has `limit`, by the loop's clock, to take in what was written and to end;
/// [`Duration::MAX`] is no limit. For a `TlsStream` its own shutdown limit counts as well. Dropping the wait drops the stream as it is.
///
/// ```
/// use coro::net::{TcpStream, close_in_order};
/// use futures::AsyncWriteExt;
/// use std::time::Duration;
///
/// async fn refuse(mut stream: TcpStream) -> std::io::Result<()> {
///     stream.write_all(b"413 too large\n").await?;
///     close_in_order(stream, Duration::from_secs(30)).await
/// }
/// # let _ = refuse;
/// ```
///
/// # Errors
///
/// Those of the stream's `close`, and of reading but for an end of TLS without `close_notify`; so if
/// the other end has reset the connection. [`TimedOut`](io::ErrorKind::TimedOut) if the other end
/// has not ended within the limit. After an error it is unknown whether everything has arrived.
///
/// # Panics
///
/// If it has to wait outside of a loop.
pub async fn close_in_order(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    limit: Duration,
) -> io::Result<()> {
    let mut closing = Closing::default();
    let mut until = Until::After(limit);
    poll_fn(|cx| match closing.poll(&mut stream, cx) {
        Poll::Pending => until.poll(cx).map(|()| Err(too_long(limit))),
        done => done,
    })
    .await
}

#[derive(Default)]
struct Closing {
    told: bool,
    buffer: Box<[u8]>,
}

impl Closing {
    fn poll(
        &mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.told {
            ready!(Pin::new(&mut *stream).poll_close(cx))?;
            self.told = true;
            self.buffer = vec![0; BUFFER].into();
        }
        for _ in 0..READS_PER_STEP {
            match ready!(Pin::new(&mut *stream).poll_read(cx, &mut self.buffer)) {
                Ok(1..) => {}
                Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                    return Poll::Ready(Err(error));
                }
                _ => return Poll::Ready(Ok(())),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[inline]
fn too_long(limit: Duration) -> io::Error {
    let text = format!(
        "the other end has not ended within {limit:?} after the connection was closed here, so that \
         what was written last may not have arrived"
    );
    io::Error::new(io::ErrorKind::TimedOut, text)
}
