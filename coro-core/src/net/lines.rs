//! `StreamReader`: lines, frames of known length, read from a stream of bytes.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::io::{AsyncBufRead, AsyncRead};
use futures::stream::{self, FusedStream, StreamExt};

use super::read_error::{ReadError, ReadFailure};
use crate::event_loop::LoopHandle;
use crate::task::budget;

/// The default limit of a line's length: that of asyncio's streams.
const LIMIT: usize = 64 * 1024;
/// How much is read at once if the limit is lower, and how much outside of a loop.
const READ_MIN: usize = 8 * 1024;
/// The largest buffer that is kept without a byte in it, so that short messages allocate nothing.
const KEPT_MAX: usize = 128;

/// Reads lines, and frames of a known length, from a stream of bytes, up to a limit of length.
///
/// The counterpart of `asyncio.StreamReader`, over any [`AsyncRead`]. The methods of `futures::io`
/// for this let an endless line fill the memory, and lose the beginning of a line when they are
/// dropped midway. Here a line longer than the limit is an error, and **no bytes are ever lost**:
/// all bytes that were read stay in the buffer until they are returned. So every method can be
/// dropped at any point, by a [`timeout`](crate::time::timeout) for example, and called again.
/// After any error the bytes are still in the [`buffer`](Self::buffer).
///
/// Reads go through a buffer that all connections of a loop share. So a reader that waits with no bytes
/// left takes little memory, however many there are.
///
/// It also implements [`AsyncRead`] and [`AsyncBufRead`], so the rest of a stream can be read as
/// bytes after a head was read as lines.
///
/// ```
/// use coro::net::StreamReader;
///
/// coro::run(async {
///     let mut reader = StreamReader::new(&b"GET /\r\n5\nhellothe rest"[..]);
///     assert_eq!(reader.read_line().await?, Some("GET /"));
///     assert_eq!(reader.read_line().await?, Some("5"));
///     assert_eq!(reader.read_exactly(5).await?, b"hello");
///     assert_eq!(reader.read_line().await?, Some("the rest"));
///     assert_eq!(reader.read_line().await?, None);
///     Ok::<(), coro::net::ReadError>(())
/// })
/// # .unwrap();
/// ```
pub struct StreamReader<R> {
    io: R,
    limit: usize,
    buffer: Vec<u8>,
    /// The bytes before `start` were returned.
    start: usize,
    /// How many bytes after `start` were searched already: no separator begins there.
    searched: usize,
    is_at_end: bool,
}

impl<R> StreamReader<R> {
    /// Reads from `io`, lines of up to 64 KiB.
    pub fn new(io: R) -> Self {
        Self::with_limit(LIMIT, io)
    }

    /// Reads from `io`, lines and frames of up to `limit` bytes. The separator counts as well.
    pub fn with_limit(limit: usize, io: R) -> Self {
        StreamReader {
            io,
            limit,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            is_at_end: false,
        }
    }

    /// The limit of a line's or frame's length.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The bytes that were read from the stream, and not returned yet.
    pub fn buffer(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// The stream, to write to it for example. Reading from it would skip the buffer.
    pub fn get_ref(&self) -> &R {
        &self.io
    }

    /// The stream, to write to it for example. Reading from it would skip the buffer.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.io
    }

    /// The stream, and the bytes that were read from it and not returned yet.
    pub fn into_parts(mut self) -> (R, Vec<u8>) {
        self.buffer.drain(..self.start);
        (self.io, self.buffer)
    }

    /// How many bytes were read, and not returned yet.
    fn buffered(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Removes `len` bytes from the buffer, and gives them.
    fn take(&mut self, len: usize) -> &[u8] {
        let start = self.start;
        self.start += len;
        self.searched = 0;
        &self.buffer[start..start + len]
    }

    /// Gives up the buffer if there is no byte left in it, and it is large.
    fn release(&mut self) {
        if self.buffered() == 0 && self.buffer.capacity() > KEPT_MAX {
            (self.buffer, self.start) = (Vec::new(), 0);
        }
    }

    /// The length up to the end of the separator, if it is in the buffer.
    fn find(&mut self, separator: &[u8]) -> Option<usize> {
        let unsearched = &self.buffer[self.start + self.searched..];
        match position(unsearched, separator) {
            Some(at) => Some(self.searched + at + separator.len()),
            None => {
                self.searched = (self.buffered() + 1).saturating_sub(separator.len());
                None
            }
        }
    }
}

impl<R: AsyncRead + Unpin> StreamReader<R> {
    /// Reads a line of text; gives it without its end, which is a line feed, with or without a
    /// carriage return before it. `None` at the end of the stream. The last line needs no line
    /// feed.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`ReadError`]: the line is too long or not UTF-8, or reading failed. The line stays in the
    /// buffer. A line that is not UTF-8 can be read by [`read_until`](Self::read_until); a line
    /// that is too long can be skipped by [`skip_until`](Self::skip_until).
    pub async fn read_line(&mut self) -> Result<Option<&str>, ReadError> {
        self.searched = 0;
        let Some(len) = poll_fn(|cx| self.poll_until(b"\n", cx)).await? else {
            return Ok(None);
        };
        let line = &self.buffer[self.start..self.start + len];
        if let Err(error) = std::str::from_utf8(without_end(line)) {
            return Err(ReadError(ReadFailure::NotText(error)));
        }
        let line = without_end(self.take(len));
        Ok(std::str::from_utf8(line).ok())
    }

    /// Reads up to and including `separator`; gives both. `None` at the end of the stream. The last
    /// piece needs no separator.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`ReadError`]: there are more bytes than the limit without a separator, or reading failed.
    /// The bytes stay in the buffer.
    ///
    /// # Panics
    ///
    /// If the separator is empty.
    pub async fn read_until(&mut self, separator: &[u8]) -> Result<Option<&[u8]>, ReadError> {
        check_separator(separator);
        self.searched = 0;
        let found = poll_fn(|cx| self.poll_until(separator, cx)).await?;
        Ok(found.map(|len| self.take(len)))
    }

    /// Skips all bytes up to and including `separator`, without a limit, or up to the end of the
    /// stream; gives how many bytes it skipped.
    ///
    /// So a program can continue after a line that is too long. If the future is dropped, the bytes
    /// that it has skipped stay skipped.
    ///
    /// # Errors
    ///
    /// Errors of reading.
    ///
    /// # Panics
    ///
    /// If the separator is empty.
    pub async fn skip_until(&mut self, separator: &[u8]) -> io::Result<u64> {
        check_separator(separator);
        self.searched = 0;
        let mut skipped = 0;
        poll_fn(|cx| {
            loop {
                if let Some(len) = self.find(separator) {
                    ready!(budget::poll(cx));
                    skipped += self.take(len).len() as u64;
                    return Poll::Ready(Ok(skipped));
                }
                skipped += self.take(self.searched).len() as u64;
                if !ready!(self.poll_more(cx))? {
                    skipped += self.take(self.buffered()).len() as u64;
                    return Poll::Ready(Ok(skipped));
                }
            }
        })
        .await
    }

    /// Reads exactly `len` bytes.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`ReadError`]: `len` is more than the limit, the stream ends before, or reading failed.
    /// Bytes that were read stay in the buffer.
    pub async fn read_exactly(&mut self, len: usize) -> Result<&[u8], ReadError> {
        if len > self.limit {
            return Err(ReadError(ReadFailure::TooLong(self.limit)));
        }
        poll_fn(|cx| {
            while self.buffered() < len {
                if !ready!(self.poll_more(cx))? {
                    let got = self.buffered();
                    return Poll::Ready(Err(ReadError(ReadFailure::Ended { got, wanted: len })));
                }
            }
            budget::poll(cx).map(Ok)
        })
        .await?;
        Ok(self.take(len))
    }

    /// Reads everything up to the end of the stream, at most `limit` bytes; gives it all.
    ///
    /// The limit of lines and frames does not count here. The time that it takes grows with the
    /// number of bytes: `read_to_end` of `futures` fills the room that it has made with zeros each
    /// time it is polled, which for a long answer in many pieces is a multiple of that, above all
    /// without optimization. Dropping the wait loses nothing.
    ///
    /// # Errors
    ///
    /// [`ReadError`]: there are more bytes than `limit`, or reading failed. What there was stays in
    /// the buffer.
    pub async fn read_to_end(&mut self, limit: usize) -> Result<Vec<u8>, ReadError> {
        poll_fn(|cx| {
            loop {
                if self.buffered() > limit {
                    return Poll::Ready(Err(ReadError(ReadFailure::TooLong(limit))));
                }
                if !ready!(self.poll_more(cx))? {
                    return Poll::Ready(Ok(()));
                }
            }
        })
        .await?;
        self.searched = 0;
        let mut all = mem::take(&mut self.buffer);
        all.drain(..self.start);
        self.start = 0;
        Ok(all)
    }

    /// The lines, one after another, as a stream that ends with the first error.
    pub fn read_lines(&mut self) -> impl FusedStream<Item = Result<String, ReadError>> {
        let lines = stream::unfold(Some(self), |reader| async move {
            let reader = reader?;
            match reader.read_line().await {
                Ok(line) => line.map(str::to_owned).map(|line| (Ok(line), Some(reader))),
                Err(error) => Some((Err(error), None)),
            }
        });
        lines.fuse()
    }

    /// The length of the next piece, up to the separator or the end of the stream.
    fn poll_until(
        &mut self,
        separator: &[u8],
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<usize>, ReadError>> {
        loop {
            let found = self.find(separator);
            let buffered = self.buffered();
            if found.unwrap_or(buffered) > self.limit {
                return Poll::Ready(Err(ReadError(ReadFailure::TooLong(self.limit))));
            }
            if found.is_some() {
                ready!(budget::poll(cx));
                return Poll::Ready(Ok(found));
            }
            if !ready!(self.poll_more(cx))? {
                return Poll::Ready(Ok((buffered > 0).then_some(buffered)));
            }
        }
    }

    /// Reads more into the buffer; `false` at the end of the stream.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.is_at_end {
            return Poll::Ready(Ok(false));
        }
        let read = match LoopHandle::try_current() {
            Some(handle) => self.poll_through(cx, &mut handle.lend_buffer()),
            None => self.poll_through(cx, &mut [0; READ_MIN]),
        };
        if read.is_pending() {
            self.release();
        }
        let read = ready!(read)?;
        self.is_at_end = read == 0;
        Poll::Ready(Ok(!self.is_at_end))
    }

    /// Reads through another buffer, and appends the bytes to this reader's own.
    fn poll_through(
        &mut self,
        cx: &mut Context<'_>,
        through: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let len = through.len().min(self.limit.max(READ_MIN));
        let read = ready!(Pin::new(&mut self.io).poll_read(cx, &mut through[..len]))?;
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(&through[..read]);
        Poll::Ready(Ok(read))
    }
}

#[inline]
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[track_caller]
#[inline]
fn check_separator(separator: &[u8]) {
    assert!(
        !separator.is_empty(),
        "an empty separator is everywhere: give at least one byte"
    );
}

#[inline]
fn position(bytes: &[u8], separator: &[u8]) -> Option<usize> {
    match separator {
        [byte] => bytes.iter().position(|it| it == byte),
        _ => bytes
            .windows(separator.len())
            .position(|it| it == separator),
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for StreamReader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.buffer().is_empty() && !self.is_at_end {
            self.release();
            return Pin::new(&mut self.io).poll_read(cx, into);
        }
        ready!(budget::poll(cx));
        let len = into.len().min(self.buffer().len());
        into[..len].copy_from_slice(self.take(len));
        Poll::Ready(Ok(len))
    }
}

impl<R: AsyncRead + Unpin> AsyncBufRead for StreamReader<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.buffer().is_empty() {
            ready!(this.poll_more(cx))?;
        } else {
            ready!(budget::poll(cx));
        }
        Poll::Ready(Ok(this.buffer()))
    }

    fn consume(mut self: Pin<&mut Self>, len: usize) {
        let len = len.min(self.buffer().len());
        self.take(len);
    }
}

impl<R: fmt::Debug> fmt::Debug for StreamReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamReader")
            .field("io", &self.io)
            .field("limit", &self.limit)
            .field("buffered", &self.buffer().len())
            .finish()
    }
}
