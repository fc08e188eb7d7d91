//! `AsyncFd`: readiness of any descriptor.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll};

use crate::event_loop::{Direction, LoopHandle, WaitId};
use crate::wait::descriptor::Descriptor;
use crate::wait::ready::RegisteredIo;

/// A descriptor of your own, which tasks can wait for.
///
/// For everything that the system can wait for and that has no type of its own here: a timer or
/// event descriptor, a device, another kind of socket, the connection of a C library. Dropping it
/// drops its owner `T`, which usually closes the descriptor. The counterpart of tokio's `AsyncFd`. Unix
/// only.
///
/// The descriptor must be set not to block. This type does not do that, because other processes may
/// share the setting. It remembers readiness: the descriptor counts as ready until an operation
/// fails with [`WouldBlock`](io::ErrorKind::WouldBlock) inside [`async_io`](Self::async_io),
/// [`try_io`](Self::try_io) or [`poll_io`](Self::poll_io). So do every operation inside one of
/// them. After one that would have blocked elsewhere, [`readable`](Self::readable) is still ready
/// at once.
///
/// ```
/// use coro::net::{AsyncFd, Interest};
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// coro::run(async {
///     let (ours, mut theirs) = UnixStream::pair()?;
///     ours.set_nonblocking(true)?;
///     let ours = AsyncFd::new(ours)?;
///     theirs.write_all(b"hello")?;
///     let mut bytes = [0; 16];
///     let len = ours.async_io(Interest::Read, |mut io| io.read(&mut bytes)).await?;
///     assert_eq!(&bytes[..len], b"hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
pub struct AsyncFd<T: AsFd> {
    ready: RegisteredIo<Descriptor<T>>,
}

impl<T: AsFd> AsyncFd<T> {
    /// Registers a descriptor with the present loop.
    ///
    /// # Errors
    ///
    /// If the system cannot wait for it, as for a regular file, or if the loop waits for the same
    /// descriptor already; a duplicate of the descriptor is allowed.
    ///
    /// # Panics
    ///
    /// Outside of a loop, and in a [simulation](crate::testing).
    #[track_caller]
    pub fn new(io: T) -> io::Result<Self> {
        LoopHandle::refuse_in_simulation("foreign descriptor");
        let ready = RegisteredIo::new(Descriptor::new(io))?;
        Ok(AsyncFd { ready })
    }

    /// The owner of the descriptor.
    pub fn get_ref(&self) -> &T {
        self.ready.get().get()
    }

    /// Gives the owner of the descriptor back; the loop no longer waits for it.
    pub fn into_inner(self) -> T {
        self.ready.into_inner().into_inner()
    }

    /// Waits until it may be possible to read. Any number of tasks may wait in this way.
    ///
    /// # Errors
    ///
    /// If it is awaited outside of the loop in which it was made.
    pub async fn readable(&self) -> io::Result<()> {
        self.ready.ready(Direction::Read).await
    }

    /// Waits until it may be possible to write. Any number of tasks may wait in this way.
    ///
    /// # Errors
    ///
    /// If it is awaited outside of the loop in which it was made.
    pub async fn writable(&self) -> io::Result<()> {
        self.ready.ready(Direction::Write).await
    }

    /// Calls `operation` until it does not block, waiting in between.
    ///
    /// Dropping the future loses nothing: each call of `operation` is completed. Any number of
    /// tasks may wait in this way. An operation that was interrupted by a signal is called again.
    ///
    /// # Errors
    ///
    /// Those of `operation`, except [`WouldBlock`](io::ErrorKind::WouldBlock).
    pub async fn async_io<R>(
        &self,
        interest: Direction,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.ready.io(interest, |io| operation(io.get())).await
    }

    /// Calls `operation` once, unless the loop knows that it would block.
    ///
    /// # Errors
    ///
    /// Those of `operation`; [`WouldBlock`](io::ErrorKind::WouldBlock) if it would block.
    pub fn try_io<R>(
        &self,
        interest: Direction,
        operation: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.ready.try_io(interest, |io| operation(io.get()))
    }

    /// Calls `operation` until it does not block; for hand-written futures and the traits of
    /// [`futures::io`].
    ///
    /// Any number of tasks may wait in this way; all are woken, in the order in which they came.
    ///
    /// # Errors
    ///
    /// As for [`async_io`](Self::async_io).
    pub fn poll_io<R>(
        &self,
        interest: Direction,
        cx: &Context<'_>,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.ready
            .poll_io(interest, WaitId::UNNAMED, cx, |io| operation(io.get()))
    }
}

impl<T: AsFd> AsFd for AsyncFd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl<T: AsFd> AsRawFd for AsyncFd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for AsyncFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncFd").field(self.get_ref()).finish()
    }
}
