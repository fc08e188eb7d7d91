//! An open descriptor of any type, as a source that can be registered.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token, event};

/// A descriptor that `T` keeps open.
pub(crate) struct Descriptor<T> {
    io: T,
    /// Its number, taken once: registering and deregistering have to name the same.
    fd: RawFd,
}

impl<T: AsFd> Descriptor<T> {
    pub(crate) fn new(io: T) -> Self {
        let fd = io.as_fd().as_raw_fd();
        Descriptor { io, fd }
    }

    #[inline]
    pub(crate) fn get(&self) -> &T {
        &self.io
    }

    pub(crate) fn into_inner(self) -> T {
        self.io
    }
}

impl<T: AsFd> AsFd for Descriptor<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl<T> event::Source for Descriptor<T> {
    fn register(&mut self, at: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        SourceFd(&self.fd).register(at, token, interest)
    }

    fn reregister(&mut self, at: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        SourceFd(&self.fd).reregister(at, token, interest)
    }

    fn deregister(&mut self, at: &Registry) -> io::Result<()> {
        SourceFd(&self.fd).deregister(at)
    }
}

impl<T: fmt::Debug> fmt::Debug for Descriptor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.fmt(f)
    }
}
