//! Transports over pipes, terminals or other descriptors that carry bytes one way.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::io::{AsyncRead, AsyncWrite};

use super::adopt::adopt;
use super::{Protocol, Transport};
use crate::event_loop::Direction;
use crate::net::AsyncFd;
use crate::sys;

/// Makes a transport that reads from a pipe, with a protocol that `factory` makes. The counterpart
/// of `loop.connect_read_pipe`. Unix only.
///
/// The pipe can be any descriptor to read from that the system can wait for: a
/// [`PipeReader`](crate::net::PipeReader), one end of [`std::io::pipe`], a child's output, a
/// terminal, a named pipe; not a regular file. From now on
/// it does not block, and neither does it for other processes that have it open. To write to it is
/// an error, which ends the transport.
///
/// ```
/// use coro::net::{self, Protocol};
/// use std::io::Write;
///
/// struct Print;
///
/// impl Protocol for Print {
///     fn data_received(&mut self, data: &[u8]) {
///         println!("{} bytes", data.len());
///     }
/// }
///
/// coro::run(async {
///     let (reader, mut writer) = std::io::pipe()?;
///     net::connect_read_pipe(|| Print, reader).await?;
///     writer.write_all(b"hello")?;
///     coro::yield_now().await;
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// If the pipe cannot be set not to block, or the system cannot wait for it.
///
/// # Panics
///
/// When polled outside of a loop, and if `factory` does.
pub async fn connect_read_pipe<P: Protocol>(
    factory: impl FnOnce() -> P,
    pipe: impl Into<OwnedFd>,
) -> io::Result<Transport> {
    let pipe = ReadPipe(open(pipe.into())?);
    Ok(adopt(factory, pipe, None).await)
}

/// Makes a transport that writes into a pipe. The counterpart of `loop.connect_write_pipe`.
///
/// The protocol receives no data. When the reading end is closed,
/// [`eof_received`](Protocol::eof_received) is called; if it keeps the transport open, the next
/// write ends that with an error. [`write_eof`](Transport::write_eof) closes the pipe. The pipe can
/// be a [`PipeWriter`](crate::net::PipeWriter), or any of the descriptors that
/// [`connect_read_pipe`] lists.
///
/// ```
/// use std::io::Read;
///
/// use coro::net::{self, Protocol};
///
/// struct Nothing;
///
/// impl Protocol for Nothing {
///     fn data_received(&mut self, _: &[u8]) {}
/// }
///
/// coro::run(async {
///     let (mut reader, writer) = std::io::pipe()?;
///     let transport = net::connect_write_pipe(|| Nothing, writer).await?;
///     transport.write(b"hello");
///     let mut bytes = [0; 5];
///     reader.read_exact(&mut bytes)?;
///     assert_eq!(&bytes, b"hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// If the pipe cannot be set not to block, or the system cannot wait for it.
///
/// # Panics
///
/// When polled outside of a loop, and if `factory` does.
pub async fn connect_write_pipe<P: Protocol>(
    factory: impl FnOnce() -> P,
    pipe: impl Into<OwnedFd>,
) -> io::Result<Transport> {
    let pipe = WritePipe(Some(open(pipe.into())?));
    Ok(adopt(factory, pipe, None).await)
}

#[inline]
fn open(pipe: OwnedFd) -> io::Result<AsyncFd<File>> {
    sys::set_nonblocking(&pipe)?;
    AsyncFd::new(File::from(pipe))
}

pub(super) struct ReadPipe(AsyncFd<File>);

impl AsyncRead for ReadPipe {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.0
            .poll_io(Direction::Read, cx, |mut file| file.read(buffer))
    }
}

impl AsyncWrite for ReadPipe {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        let message = "this transport only reads: make another of the pipe's other end";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::Unsupported, message)))
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// `None` once its end was sent.
struct WritePipe(Option<AsyncFd<File>>);

impl AsyncRead for WritePipe {
    /// Reads the end when the pipe has no reader any more, or was closed here.
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Some(pipe) = &self.0 else {
            return Poll::Ready(Ok(0));
        };
        pipe.poll_io(Direction::Read, cx, |file| match sys::is_broken(file)? {
            true => Ok(0),
            false => Err(io::ErrorKind::WouldBlock.into()),
        })
    }
}

impl AsyncWrite for WritePipe {
    #[inline]
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &self.0 {
            Some(pipe) => pipe.poll_io(Direction::Write, cx, |mut file| file.write(bytes)),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0 = None;
        cx.waker().wake_by_ref(); // the driver now reads the end
        Poll::Ready(Ok(()))
    }
}
