//! A descriptor that names one process for good, and is readable once the process has ended.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use mio::event::Source;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

use crate::sys::process;

pub(crate) struct Pidfd(OwnedFd);

impl Pidfd {
    /// The process must be a child that was not reaped.
    #[inline]
    pub(crate) fn open(id: u32) -> io::Result<Self> {
        Ok(Pidfd(pidfd_open(process::pid(id)?, PidfdFlags::NONBLOCK)?))
    }

    #[inline]
    pub(crate) fn send_signal(&self, signal: i32) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.0, process::named(signal)?)?)
    }
}

impl AsFd for Pidfd {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Source for Pidfd {
    #[inline]
    fn register(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).register(registry, token, on)
    }

    #[inline]
    fn reregister(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).reregister(registry, token, on)
    }

    #[inline]
    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).deregister(registry)
    }
}
