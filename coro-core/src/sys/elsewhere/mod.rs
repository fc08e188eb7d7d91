//! Sockets, files, threads: calls for all systems but Linux, which has another way for each of them.

#[cfg(all(unix, feature = "process"))]
mod pidfd;
#[cfg(feature = "poll")]
mod poller;

#[cfg(feature = "net")]
use std::fs::File;
use std::io;
#[cfg(all(unix, feature = "net"))]
use std::os::fd::{BorrowedFd, OwnedFd};

#[cfg(feature = "net")]
use socket2::{Domain, Socket, Type};

#[cfg(all(unix, feature = "process"))]
pub(crate) use pidfd::Pidfd;
#[cfg(feature = "poll")]
pub(crate) use poller::Poller;

#[cfg(all(unix, feature = "net"))]
use super::standard::Use;

/// A socket that does not block.
#[cfg(feature = "net")]
#[inline]
pub(super) fn nonblocking(domain: Domain, of: Type) -> io::Result<Socket> {
    let socket = Socket::new(domain, of, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(feature = "net")]
pub(crate) fn receive(mut from: impl io::Read, buffer: &mut [u8]) -> io::Result<usize> {
    from.read(buffer)
}

#[cfg(feature = "net")]
pub(crate) fn send(mut to: impl io::Write, bytes: &[u8]) -> io::Result<usize> {
    to.write(bytes)
}

/// Fails with "unsupported": the caller reads and sends.
#[cfg(feature = "net")]
pub(crate) fn send_file<T>(_: &T, _: &File, _: u64, _: u64) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Other systems have no path that leads to an open file.
#[cfg(all(unix, feature = "net"))]
#[inline]
pub(super) fn open_anew(_: BorrowedFd<'_>, _: Use) -> Option<OwnedFd> {
    None
}

/// The number of this thread: other systems have none, or none that fits.
#[inline]
pub(crate) fn thread_number() -> u32 {
    0
}

#[cfg(any(test, not(feature = "poll")))]
pub(crate) use self::UsualWaits as PreciseWaits;

/// Only Linux delays the timers of a thread by default.
#[cfg(any(test, not(feature = "poll")))]
pub(crate) struct UsualWaits;

#[cfg(any(test, not(feature = "poll")))]
impl UsualWaits {
    #[inline]
    pub(crate) fn begin() -> Self {
        UsualWaits
    }
}

/// Whether this is the process's first thread, as far as its name tells.
#[cfg(feature = "signal")]
#[inline]
pub(crate) fn is_main_thread() -> bool {
    std::thread::current().name() == Some("main")
}

/// None that a thread could be pinned to.
#[cfg(feature = "affinity")]
#[inline]
pub(crate) fn allowed_processors() -> Vec<usize> {
    Vec::new()
}

#[cfg(feature = "affinity")]
#[inline]
pub(crate) fn pin_to(_: usize) -> io::Result<()> {
    Ok(())
}
