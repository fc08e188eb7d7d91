//! Linux: the calls for which other systems have another way, or none.
//!
//! `elsewhere` has the same names, for all other systems. Both are compiled and tested on Linux: the
//! second with `--cfg coro_portable`.

mod affinity;
mod pidfd;
mod poller;
mod transfer;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;
use socket2::{Domain, Socket, Type};

pub(crate) use affinity::{allowed_processors, pin_to};
pub(crate) use pidfd::Pidfd;
pub(crate) use poller::{Poller, thread_number};
pub(crate) use transfer::{receive, send};

use super::standard::Use;

/// How many bytes one call moves at most, so that it does not delay the loop for long.
const CHUNK: u64 = 256 * 1024;

/// A socket that does not block, made in one call.
pub(super) fn nonblocking(domain: Domain, of: Type) -> io::Result<Socket> {
    Socket::new(domain, of.nonblocking(), None)
}

/// Has the kernel move bytes of a file to a socket that does not block. Gives their number, 0 at
/// the end of the file; fails with "unsupported" if the kernel cannot do that for this file or
/// socket.
pub(crate) fn send_file(to: &impl AsFd, file: &File, offset: u64, len: u64) -> io::Result<usize> {
    let len = len.min(CHUNK) as usize;
    match rustix::fs::sendfile(to, file, Some(&mut { offset }), len) {
        Err(Errno::INVAL | Errno::NOSYS) => Err(io::ErrorKind::Unsupported.into()),
        other => other.map_err(io::Error::from),
    }
}

/// Opens the pipe or terminal behind a descriptor once more, not to block, if permitted.
pub(super) fn open_anew(fd: BorrowedFd<'_>, to: Use) -> Option<OwnedFd> {
    use std::io::IsTerminal;
    if !is_pipe(fd) && !fd.is_terminal() {
        return None;
    }
    let access = match to {
        Use::Read => OFlags::RDONLY,
        Use::Write => OFlags::WRONLY,
    };
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    open(path, flags, Mode::empty()).ok()
}

fn is_pipe(fd: BorrowedFd<'_>) -> bool {
    fstat(fd).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
}

/// Whether this is the process's first thread, which receives its signals; without `/proc`, as far as
/// its name tells.
pub(crate) fn is_main_thread() -> bool {
    match thread_number() {
        0 => std::thread::current().name() == Some("main"),
        number => number == std::process::id(),
    }
}
