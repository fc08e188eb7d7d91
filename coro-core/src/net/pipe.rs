//! Pipes of the operating system: `PipeReader`, `PipeWriter`.

use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use futures::io::AsyncWrite;
use mio::unix::pipe::{Receiver, Sender};

use super::macros::{poll_reads, read_by_traits};
use crate::event_loop::{Direction, LoopHandle};
use crate::wait::ready::RegisteredIo;

/// Makes a pipe: bytes that are written to one end are read from the other.
///
/// Its ends can be given to other processes. Between tasks of one loop a channel is cheaper. Unix only.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// coro::run(async {
///     let (mut reader, mut writer) = coro::net::pipe()?;
///     writer.write_all(b"hello").await?;
///     writer.close().await?;
///     let mut text = String::new();
///     reader.read_to_string(&mut text).await?;
///     assert_eq!(text, "hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// If the process has no free descriptors.
///
/// # Panics
///
/// Outside of a loop, and in a [simulation](crate::testing).
#[track_caller]
#[inline]
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (sender, receiver) = mio::unix::pipe::new()?;
    Ok((PipeReader::new(receiver)?, PipeWriter::new(sender)?))
}

/// The reading end of a pipe. Dropping it closes it.
///
/// Dropping a read loses nothing.
pub struct PipeReader {
    ready: RegisteredIo<Receiver>,
}

/// The writing end of a pipe. Dropping or closing it ends the reader's input.
///
/// Writing is an error, `BrokenPipe`, once the other end is no longer open.
pub struct PipeWriter {
    /// `None` once it is closed.
    ready: Option<RegisteredIo<Sender>>,
}

impl PipeReader {
    #[track_caller]
    #[inline]
    fn new(io: Receiver) -> io::Result<Self> {
        LoopHandle::refuse_in_simulation("pipe");
        Ok(PipeReader {
            ready: RegisteredIo::new(io)?,
        })
    }

    /// Takes over a descriptor for reading, such as that of a standard-library pipe or a named
    /// pipe, and sets it not to block.
    ///
    /// # Errors
    ///
    /// If it cannot be set not to block, or the system cannot wait for it, as for a regular file.
    ///
    /// # Panics
    ///
    /// Outside of a loop, and in a [simulation](crate::testing).
    #[track_caller]
    pub fn from_fd(fd: impl Into<OwnedFd>) -> io::Result<Self> {
        let receiver = Receiver::from(fd.into());
        receiver.set_nonblocking(true)?;
        Self::new(receiver)
    }

    /// Gives the descriptor back; the loop no longer waits for it. It is still set not to block.
    #[inline]
    pub fn into_fd(self) -> OwnedFd {
        self.ready.into_inner().into()
    }
}

poll_reads!(PipeReader, read);

#[inline]
fn read(mut from: &Receiver, buffer: &mut [u8]) -> io::Result<usize> {
    from.read(buffer)
}

read_by_traits!(PipeReader);

impl PipeWriter {
    #[track_caller]
    #[inline]
    fn new(io: Sender) -> io::Result<Self> {
        LoopHandle::refuse_in_simulation("pipe");
        Ok(PipeWriter {
            ready: Some(RegisteredIo::new(io)?),
        })
    }

    /// Takes over a descriptor for writing, such as that of a standard-library pipe or a named
    /// pipe, and sets it not to block.
    ///
    /// # Errors
    ///
    /// If it cannot be set not to block, or the system cannot wait for it, as for a regular file.
    ///
    /// # Panics
    ///
    /// Outside of a loop, and in a [simulation](crate::testing).
    #[track_caller]
    pub fn from_fd(fd: impl Into<OwnedFd>) -> io::Result<Self> {
        let sender = Sender::from(fd.into());
        sender.set_nonblocking(true)?;
        Self::new(sender)
    }

    /// Gives the descriptor back, unless it was closed; the loop no longer waits for it. It is
    /// still set not to block.
    #[inline]
    pub fn into_fd(self) -> Option<OwnedFd> {
        Some(self.ready?.into_inner().into())
    }

    #[inline]
    fn open(&self) -> io::Result<&RegisteredIo<Sender>> {
        let closed = || io::Error::new(io::ErrorKind::BrokenPipe, "the pipe was closed here");
        self.ready.as_ref().ok_or_else(closed)
    }
}

impl AsyncWrite for PipeWriter {
    #[inline]
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.open()?
            .poll_transfer(Direction::Write, bytes.len(), cx, |mut io| io.write(bytes))
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = slices.iter().map(|slice| slice.len()).sum();
        self.open()?
            .poll_transfer(Direction::Write, len, cx, |mut io| {
                io.write_vectored(slices)
            })
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Closes the descriptor, so the reader reads its end.
    #[inline]
    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ready = None;
        Poll::Ready(Ok(()))
    }
}

/// The descriptor, set to block, for a child or another library. [`into_fd`](PipeReader::into_fd)
/// gives it as it is.
impl From<PipeReader> for OwnedFd {
    #[inline]
    fn from(pipe: PipeReader) -> OwnedFd {
        let receiver = pipe.ready.into_inner();
        let _ = receiver.set_nonblocking(false); // refused for no open descriptor
        receiver.into()
    }
}

/// The standard input of a child.
impl From<PipeReader> for Stdio {
    #[inline]
    fn from(pipe: PipeReader) -> Stdio {
        OwnedFd::from(pipe).into()
    }
}

/// The descriptor, set to block, for a child or another library.
///
/// # Panics
///
/// If the pipe was closed by `close`; [`into_fd`](PipeWriter::into_fd) gives `None` then.
impl From<PipeWriter> for OwnedFd {
    #[track_caller]
    #[inline]
    fn from(pipe: PipeWriter) -> OwnedFd {
        let Some(ready) = pipe.ready else {
            panic!(
                "a pipe that was closed has no descriptor: give it away before, or use into_fd()"
            )
        };
        let sender = ready.into_inner();
        let _ = sender.set_nonblocking(false); // refused for no open descriptor
        sender.into()
    }
}

/// The standard output of a child, or its standard error.
///
/// # Panics
///
/// If the pipe was closed by `close`.
impl From<PipeWriter> for Stdio {
    #[track_caller]
    #[inline]
    fn from(pipe: PipeWriter) -> Stdio {
        OwnedFd::from(pipe).into()
    }
}

impl AsFd for PipeReader {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ready.get().as_fd()
    }
}

impl fmt::Debug for PipeReader {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ready.fmt(f)
    }
}

impl fmt::Debug for PipeWriter {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipeWriter").field(&self.ready).finish()
    }
}
