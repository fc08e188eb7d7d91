//! Sends bytes to a stream socket, or receives them.
//!
//! Linux is called by rustix, directly: for a short message, the C library's wrappers would take
//! longer than the rest of this path.

use std::io;

#[cfg(target_os = "linux")]
pub(crate) use linux::{receive, send};

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::AsFd;

    use rustix::net::{RecvFlags, SendFlags, recv};

    use super::io;

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
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn receive(mut from: impl io::Read, buffer: &mut [u8]) -> io::Result<usize> {
    from.read(buffer)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn send(mut to: impl io::Write, bytes: &[u8]) -> io::Result<usize> {
    to.write(bytes)
}
