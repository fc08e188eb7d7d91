//! Sends bytes to a stream socket, or receives them.
//!
//! rustix calls the kernel directly: for a short message, the C library's wrappers would take longer
//! than the rest of this path.

use std::io;
use std::os::fd::AsFd;

use rustix::net::{RecvFlags, SendFlags, recv};

#[inline]
pub(crate) fn receive(from: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (len, _) = recv(from, buffer, RecvFlags::empty())?;
    Ok(len)
}

/// A broken connection is an error; no signal is raised.
#[inline]
pub(crate) fn send(to: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(to, bytes, SendFlags::NOSIGNAL)?)
}
