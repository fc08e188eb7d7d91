//! Standard input, output, error, as asynchronous streams.

use std::fmt;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::io::{AsyncRead, AsyncWrite};

use crate::event_loop::{Direction, LoopHandle, WaitId};
use crate::sys::{Standard, StandardUse};
use crate::wait::descriptor::Descriptor;
use crate::wait::ready::RegisteredIo;

/// The standard input, read without blocking the loop; made by [`stdin`].
pub struct Stdin(Stdio);

/// The standard output, written without blocking the loop; made by [`stdout`].
pub struct Stdout(Stdio);

/// The standard error, written without blocking the loop; made by [`stderr`].
pub struct Stderr(Stdio);

/// A standard stream; `Direct` if the system cannot wait for it, because it is always ready.
enum Stdio {
    Waited(RegisteredIo<Descriptor<Standard>>),
    Direct(Standard),
}

/// The standard input, for reading by the traits of [`futures::io`].
///
/// Pipes, terminals and sockets are waited for. A regular file and `/dev/null`, which the system
/// cannot wait for, are read directly. A terminal gives a line at a time, unless it was set
/// otherwise. Unix only.
///
/// Blocking is a setting of the open file. The shell and other processes share it, and `println!`
/// fails on a stream that does not block. So the setting is not changed. On Linux a pipe or a
/// terminal is opened anew instead; any other file is checked for readiness before each operation.
/// If another process reads from the same socket, it may read first; then the read blocks until
/// more data comes.
///
/// It has no buffer, and does not see bytes that `std::io::stdin` has buffered: use one or the
/// other. Dropping a read loses nothing.
///
/// ```
/// use coro::net::{stdin, stdout};
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// async fn copy() -> std::io::Result<()> {
///     let (mut from, mut to) = (stdin()?, stdout()?);
///     let mut buffer = [0; 4096];
///     loop {
///         match from.read(&mut buffer).await? {
///             0 => return Ok(()),
///             len => to.write_all(&buffer[..len]).await?,
///         }
///     }
/// }
/// # let _ = coro::run(async { coro::timeout(std::time::Duration::ZERO, copy()).await });
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
pub fn stdin() -> io::Result<Stdin> {
    Stdio::open(io::stdin().as_fd(), StandardUse::Read).map(Stdin)
}

/// The standard output, for writing by the traits of [`futures::io`].
///
/// The notes at [`stdin`] hold here too. It has no buffer, and does not write bytes that `println!`
/// has buffered: those come out at the end of their line. Closing it has no effect, because other
/// code may use the standard output.
///
/// ```
/// use coro::io::AsyncWriteExt;
///
/// coro::run(async {
///     let mut stdout = coro::net::stdout()?;
///     stdout.write_all(b"done\n").await
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
pub fn stdout() -> io::Result<Stdout> {
    Stdio::open(io::stdout().as_fd(), StandardUse::Write).map(Stdout)
}

/// The standard error, for writing by the traits of [`futures::io`]; see [`stdout`].
///
/// ```
/// use coro::io::AsyncWriteExt;
///
/// coro::run(async {
///     let mut stderr = coro::net::stderr()?;
///     stderr.write_all(b"done\n").await
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
pub fn stderr() -> io::Result<Stderr> {
    Stdio::open(io::stderr().as_fd(), StandardUse::Write).map(Stderr)
}

impl Stdio {
    #[track_caller]
    #[inline]
    fn open(fd: BorrowedFd<'_>, to: StandardUse) -> io::Result<Self> {
        LoopHandle::refuse_in_simulation("standard stream");
        match RegisteredIo::try_new(Descriptor::new(Standard::open(fd, to)?)) {
            Ok(ready) => Ok(Stdio::Waited(ready)),
            // A terminal that the system cannot wait for would block the loop.
            Err((error, io)) if error.kind() == io::ErrorKind::Unsupported && !fd.is_terminal() => {
                Ok(Stdio::Direct(io.into_inner()))
            }
            Err((error, _)) => Err(error),
        }
    }

    #[inline]
    fn poll_read(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Stdio::Direct(io) => Poll::Ready(uninterrupted(|| io.read(buffer))),
            Stdio::Waited(ready) => ready.poll_io(Direction::Read, WaitId::UNNAMED, cx, |io| {
                io.get().read_if_ready(buffer)
            }),
        }
    }

    #[inline]
    fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Stdio::Direct(io) => Poll::Ready(uninterrupted(|| io.write(bytes))),
            Stdio::Waited(ready) => ready.poll_io(Direction::Write, WaitId::UNNAMED, cx, |io| {
                io.get().write_if_ready(bytes)
            }),
        }
    }
}

fn uninterrupted<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

impl AsyncRead for Stdin {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, buffer)
    }
}

macro_rules! writes {
    ($($output:ident),*) => { $(
        impl AsyncWrite for $output {
            #[inline]
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.0.poll_write(cx, bytes)
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
    )* };
}

writes!(Stdout, Stderr);

macro_rules! named {
    ($($name:ident),*) => { $(
        impl fmt::Debug for $name {
            #[inline]
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )* };
}

named!(Stdin, Stdout, Stderr);
