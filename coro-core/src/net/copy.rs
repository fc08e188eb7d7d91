//! Copies bytes from one stream to another.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::io::{AsyncRead, AsyncWrite};

/// The buffer of each direction, in bytes.
const BUFFER: usize = 64 * 1024;
/// After this many reads and writes the other tasks get a turn.
const TRANSFERS_MAX: u32 = 32;

/// Copies everything from `reader` to `writer`, and gives how many bytes it copied.
///
/// At the end of the reader it flushes the writer, but does not close it. It is `futures::io::copy`
/// with a buffer of 64 KiB, and lets other tasks run even if both ends are always ready. If the
/// future is dropped, bytes that were read but not written are lost.
///
/// ```
/// coro::run(async {
///     let mut copied = Vec::new();
///     assert_eq!(coro::net::copy(&b"hello"[..], &mut copied).await?, 5);
///     assert_eq!(copied, b"hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// Errors of the reader and of the writer; `WriteZero` if the writer takes no more.
pub async fn copy(
    mut reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
) -> io::Result<u64> {
    let mut passage = Passage::new();
    poll_fn(|cx| passage.poll(&mut reader, &mut writer, Last::Flush, cx)).await
}

/// Copies from each of two streams to the other until both have ended; gives how many bytes went
/// from `a` to `b`, and how many from `b` to `a`.
///
/// This is the work of a proxy. The end of one direction is passed on by closing the other stream's
/// writing half, and the other direction continues. So a peer that ends its sending first still
/// gets its answer. Each direction buffers at most 64 KiB: a slow reader slows its writer down.
///
/// Dropping the future, or an error, stops both directions; bytes that were read but not written
/// are lost.
///
/// ```
/// use coro::net::{TcpStream, copy_bidirectional, open_connection};
///
/// async fn forward(client: TcpStream) -> std::io::Result<()> {
///     let server = open_connection("example.org", 80).await?;
///     let (sent, received) = copy_bidirectional(&client, &server).await?;
///     println!("{sent} bytes sent, {received} received");
///     Ok(())
/// }
/// # let _ = forward;
/// ```
///
/// # Errors
///
/// The first error of either stream.
pub async fn copy_bidirectional(
    mut a: impl AsyncRead + AsyncWrite + Unpin,
    mut b: impl AsyncRead + AsyncWrite + Unpin,
) -> io::Result<(u64, u64)> {
    let (mut there, mut back) = (Passage::new(), Passage::new());
    poll_fn(|cx| {
        let sent = there.poll(&mut a, &mut b, Last::Close, cx)?;
        let received = back.poll(&mut b, &mut a, Last::Close, cx)?;
        match (sent, received) {
            (Poll::Ready(sent), Poll::Ready(received)) => Poll::Ready(Ok((sent, received))),
            _ => Poll::Pending,
        }
    })
    .await
}

/// The action on the writer once everything is written.
#[derive(Clone, Copy)]
enum Last {
    Flush,
    Close,
}

/// One direction of copying.
struct Passage {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    copied: u64,
    state: CopyState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CopyState {
    Flowing,
    /// The reader has ended.
    Ending,
    Over,
}

impl Passage {
    #[inline]
    fn new() -> Self {
        Passage {
            buffer: Box::default(),
            start: 0,
            end: 0,
            copied: 0,
            state: CopyState::Flowing,
        }
    }

    fn poll(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
        writer: &mut (impl AsyncWrite + Unpin),
        last: Last,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<u64>> {
        let mut transfers = 0;
        while self.state == CopyState::Flowing {
            if transfers == TRANSFERS_MAX {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            transfers += 1;
            match self.start < self.end {
                true => ready!(self.poll_write(writer, cx))?,
                false => ready!(self.poll_read(reader, writer, cx))?,
            }
        }
        if self.state == CopyState::Ending {
            ready!(match last {
                Last::Flush => Pin::new(writer).poll_flush(cx),
                Last::Close => Pin::new(writer).poll_close(cx),
            })?;
            self.state = CopyState::Over;
        }
        Poll::Ready(Ok(self.copied))
    }

    fn poll_read(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
        writer: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.buffer.is_empty() {
            self.buffer = vec![0; BUFFER].into();
        }
        let Poll::Ready(read) = Pin::new(reader).poll_read(cx, &mut self.buffer)? else {
            ready!(Pin::new(writer).poll_flush(cx))?; // written bytes must not wait for more input
            return Poll::Pending;
        };
        (self.start, self.end) = (0, read);
        if read == 0 {
            self.state = CopyState::Ending;
            self.buffer = Box::default();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write(
        &mut self,
        writer: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let unwritten = &self.buffer[self.start..self.end];
        let written = ready!(Pin::new(writer).poll_write(cx, unwritten))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.start += written;
        self.copied += written as u64;
        Poll::Ready(Ok(()))
    }
}
