//! Sockets, files, threads: calls for all systems but Linux, which has another way for each of them.

#[cfg(unix)]
mod pidfd;
mod poller;

use std::fs::File;
use std::io;
#[cfg(unix)]
use std::os::fd::{BorrowedFd, OwnedFd};

use socket2::{Domain, Socket, Type};

#[cfg(unix)]
pub(crate) use pidfd::Pidfd;
pub(crate) use poller::{Poller, thread_number};

#[cfg(unix)]
use super::standard::Use;

/// A socket that does not block.
pub(super) fn nonblocking(domain: Domain, of: Type) -> io::Result<Socket> {
    let socket = Socket::new(domain, of, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

pub(crate) fn receive(mut from: impl io::Read, buffer: &mut [u8]) -> io::Result<usize> {
    from.read(buffer)
}

pub(crate) fn send(mut to: impl io::Write, bytes: &[u8]) -> io::Result<usize> {
    to.write(bytes)
}

/// Fails with "unsupported": the caller reads and sends.
pub(crate) fn send_file<T>(_: &T, _: &File, _: u64, _: u64) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Other systems have no path that leads to an open file.
#[cfg(unix)]
pub(super) fn open_anew(_: BorrowedFd<'_>, _: Use) -> Option<OwnedFd> {
    None
}

/// Whether this is the process's first thread, as far as its name tells.
pub(crate) fn is_main_thread() -> bool {
    std::thread::current().name() == Some("main")
}

/// None that a thread could be pinned to.
pub(crate) fn allowed_processors() -> Vec<usize> {
    Vec::new()
}

pub(crate) fn pin_to(_: usize) -> io::Result<()> {
    Ok(())
}
