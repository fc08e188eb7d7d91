//! A `Socket` that does not block; sends bytes or a file to one, or receives bytes.
//!
//! rustix calls the kernel directly to receive: for a short message, the C library's wrapper would take
//! as long as the rest of this path.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;

use rustix::io::Errno;
use socket2::{Domain, SockRef, Socket, Type};

/// How many bytes one call moves at most, so that it does not delay the loop for long.
const CHUNK: u64 = 256 * 1024;

/// A socket that does not block, made in one call.
#[inline]
pub(crate) fn nonblocking(domain: Domain, of: Type) -> io::Result<Socket> {
    Socket::new(domain, of.nonblocking(), None)
}

/// "Would block", which ends most waits, is an error without a number: its kind need not be looked up.
#[inline]
pub(crate) fn receive(from: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    if buffer.is_empty() {
        return SockRef::from(&from).recv(&mut []); // a read of nothing does not look at the socket
    }
    rustix::io::read(from, buffer).map_err(|error| match error {
        Errno::AGAIN => io::ErrorKind::WouldBlock.into(),
        other => other.into(),
    })
}

/// A broken connection is an error; no signal is raised.
#[inline]
pub(crate) fn send(to: &impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    SockRef::from(to).send_with_flags(bytes, libc::MSG_NOSIGNAL)
}

/// Has the kernel move bytes of a file to a socket that does not block. Gives their number, 0 at
/// the end of the file; fails with "unsupported" if the kernel cannot do that for this file or
/// socket.
pub(crate) fn send_file(to: &impl AsFd, file: &File, offset: u64, len: u64) -> io::Result<usize> {
    let Ok(offset) = usize::try_from(offset) else {
        return Err(io::ErrorKind::Unsupported.into()); // the call takes no such offset here
    };
    let Some(len) = NonZeroUsize::new(len.min(CHUNK) as usize) else {
        return Ok(0);
    };
    let sent = SockRef::from(to).sendfile(file, offset, Some(len));
    sent.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::INVAL | Errno::NOSYS) => io::ErrorKind::Unsupported.into(),
        _ => error,
    })
}
