//! The pipes to a child: `ChildStdin`, `ChildStdout`, `ChildStderr`.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::process::{self, Stdio};
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::io::{AsyncRead, AsyncWrite};
use mio::unix::pipe::{Receiver, Sender};

use crate::event_loop::{Direction, WaitId};
use crate::sys;
use crate::wait::ready::RegisteredIo;

/// The pipe to a child's standard input.
///
/// It implements [`AsyncWrite`]; so does `&ChildStdin`. It has no buffer, so dropping a single
/// write loses nothing. If `write_all` is dropped, it is unknown how much was written. When the
/// child no longer reads, writing fails with [`BrokenPipe`](io::ErrorKind::BrokenPipe).
///
/// Closing or dropping it ends the child's input. After closing, writing fails with
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe) too.
pub struct ChildStdin {
    /// `None` once it is closed.
    ready: RefCell<Option<Rc<RegisteredIo<Sender>>>>,
}

impl ChildStdin {
    /// Takes over a pipe of the standard library.
    ///
    /// # Errors
    ///
    /// If it cannot be set not to block, or not registered with the loop.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    #[inline]
    pub fn from_std(pipe: process::ChildStdin) -> io::Result<Self> {
        let sender = Sender::from(pipe);
        sender.set_nonblocking(true)?;
        Ok(ChildStdin {
            ready: RefCell::new(Some(Rc::new(RegisteredIo::new(sender)?))),
        })
    }

    #[inline]
    fn ready(&self) -> io::Result<Rc<RegisteredIo<Sender>>> {
        let ready = self.ready.borrow().clone();
        ready.ok_or_else(|| {
            let message = "the pipe to the child's standard input has been closed";
            io::Error::new(io::ErrorKind::BrokenPipe, message)
        })
    }

    fn poll_transfer(
        &self,
        cx: &Context<'_>,
        len: usize,
        write: impl FnMut(&Sender) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        self.ready()?
            .poll_transfer(Direction::Write, len, cx, write)
    }

    #[inline]
    pub(super) fn poll_write_vectored(
        &self,
        cx: &Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = slices.iter().map(|slice| slice.len()).sum();
        self.poll_transfer(cx, len, |mut io| io.write_vectored(slices))
    }

    /// Ready once the pipe has no reader: neither the child nor another process.
    ///
    /// It waits for the reading direction, for which only the loss of the reader is an event. To
    /// say of the writing direction that it would block has later writes wait without being tried.
    #[inline]
    pub(super) fn poll_broken(&self, cx: &Context<'_>) -> Poll<()> {
        let is_broken = |io: &Sender| match sys::is_broken(io) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(io::ErrorKind::WouldBlock.into()),
        };
        match self.ready() {
            Ok(ready) => ready
                .poll_io(Direction::Read, WaitId::UNNAMED, cx, is_broken)
                .map(drop),
            Err(_) => Poll::Ready(()),
        }
    }

    #[inline]
    pub(super) fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_transfer(cx, bytes.len(), |mut io| io.write(bytes))
    }

    #[inline]
    fn close(&self) {
        if let Some(ready) = self.ready.take() {
            ready.wake_all(Direction::Write); // they learn that it is closed
        }
    }
}

/// Implements writing alike for the pipe and for a shared reference to it.
macro_rules! write_by {
    ($($pipe:ty),*) => { $(
        impl AsyncWrite for $pipe {
            #[inline]
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                ChildStdin::poll_write(&self, cx, bytes)
            }

            #[inline]
            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                ChildStdin::poll_write_vectored(&self, cx, slices)
            }

            #[inline]
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            /// Closes the pipe, which ends the child's input.
            #[inline]
            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.close();
                Poll::Ready(Ok(()))
            }
        }
    )* };
}

write_by!(ChildStdin, &ChildStdin);

impl fmt::Debug for ChildStdin {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildStdin")
            .field("open", &self.ready.borrow().is_some())
            .finish()
    }
}

/// The pipe from one of a child's two outputs.
pub(super) struct Output(RegisteredIo<Receiver>);

impl Output {
    #[track_caller]
    #[inline]
    fn new(receiver: Receiver) -> io::Result<Self> {
        receiver.set_nonblocking(true)?;
        Ok(Output(RegisteredIo::new(receiver)?))
    }

    #[inline]
    pub(super) fn poll_read(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let len = buffer.len();
        self.0
            .poll_transfer(Direction::Read, len, cx, |mut io| io.read(buffer))
    }

    #[inline]
    fn poll_read_vectored(
        &self,
        cx: &Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = buffers.iter().map(|buffer| buffer.len()).sum();
        self.0
            .poll_transfer(Direction::Read, len, cx, |mut io| io.read_vectored(buffers))
    }

    /// Appends the available bytes, up to `len_max`; waits if there are none. Gives whether the
    /// output has ended. If it is dropped, all bytes that were read have been appended.
    #[inline]
    async fn read_some(&self, into: &mut Vec<u8>, len_max: u64) -> io::Result<bool> {
        let before = into.len();
        let read = |io: &Receiver| match io.take(len_max).read_to_end(into) {
            // The bytes that were read before the error are in `into` already.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && into.len() > before => {
                Ok(len_max)
            }
            other => other.map(|len| len as u64),
        };
        Ok(self.0.io(Direction::Read, read).await? < len_max)
    }
}

/// Implements reading alike for the pipe and for a shared reference to it.
macro_rules! child_output {
    ($(#[$doc:meta])* $name:ident, $($pipe:ty),*) => {
        $(#[$doc])*
        ///
        /// It implements [`AsyncRead`]; so does a shared reference to it. It has no buffer, so
        /// dropping a read loses nothing. The end comes when the last process that shares the other
        /// end has closed it. That may be a process that the child has started, long after the
        /// child itself.
        pub struct $name(pub(super) Output);

        impl $name {
            /// Takes over a pipe of the standard library.
            ///
            /// # Errors
            ///
            /// If it cannot be set not to block, or not registered with the loop.
            ///
            /// # Panics
            ///
            /// Outside of a loop.
            #[track_caller]
            #[inline]
            pub fn from_std(pipe: process::$name) -> io::Result<Self> {
                Output::new(pipe.into()).map($name)
            }

            #[inline]
            pub(super) async fn read_some(
                &self,
                into: &mut Vec<u8>,
                len_max: u64,
            ) -> io::Result<bool> {
                self.0.read_some(into, len_max).await
            }
        }

        $(impl AsyncRead for $pipe {
            #[inline]
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                self.0.poll_read(cx, buffer)
            }

            #[inline]
            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                self.0.poll_read_vectored(cx, buffers)
            }
        })*

        /// The descriptor, set to block, for a child or another library.
        impl TryFrom<$name> for OwnedFd {
            type Error = io::Error;

            #[inline]
            fn try_from(pipe: $name) -> io::Result<OwnedFd> {
                let receiver = pipe.0.0.into_inner();
                receiver.set_nonblocking(false)?;
                Ok(receiver.into())
            }
        }

        /// For a child that reads the output of another.
        impl TryFrom<$name> for Stdio {
            type Error = io::Error;

            #[inline]
            fn try_from(pipe: $name) -> io::Result<Stdio> {
                OwnedFd::try_from(pipe).map(Stdio::from)
            }
        }

        impl TryFrom<OwnedFd> for $name {
            type Error = io::Error;

            /// # Panics
            ///
            /// Outside of a loop.
            #[track_caller]
            #[inline]
            fn try_from(pipe: OwnedFd) -> io::Result<Self> {
                Output::new(pipe.into()).map($name)
            }
        }

        impl fmt::Debug for $name {
            #[inline]
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0.0.get().as_fd()).finish()
            }
        }
    };
}

child_output! {
    /// The pipe from a child's standard output.
    ChildStdout, ChildStdout, &ChildStdout
}

child_output! {
    /// The pipe from a child's standard error.
    ChildStderr, ChildStderr, &ChildStderr
}

/// The descriptor, set to block, for a child or another library.
impl TryFrom<ChildStdin> for OwnedFd {
    type Error = io::Error;

    #[inline]
    fn try_from(pipe: ChildStdin) -> io::Result<OwnedFd> {
        let ready = pipe.ready()?;
        ready.get().set_nonblocking(false)?;
        ready.get().as_fd().try_clone_to_owned()
    }
}

/// For a child that writes the input of another.
impl TryFrom<ChildStdin> for Stdio {
    type Error = io::Error;

    #[inline]
    fn try_from(pipe: ChildStdin) -> io::Result<Stdio> {
        OwnedFd::try_from(pipe).map(Stdio::from)
    }
}

impl TryFrom<OwnedFd> for ChildStdin {
    type Error = io::Error;

    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    #[inline]
    fn try_from(pipe: OwnedFd) -> io::Result<Self> {
        Self::from_std(pipe.into())
    }
}
