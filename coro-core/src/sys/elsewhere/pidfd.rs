//! `Pidfd`, a stand-in: this system has no descriptor that names a process.

use std::convert::Infallible;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use mio::event::Source;
use mio::{Interest, Registry, Token};

pub(crate) struct Pidfd(Infallible);

impl Pidfd {
    #[inline]
    pub(crate) fn open(_: u32) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[inline]
    pub(crate) fn send_signal(&self, _: i32) -> io::Result<()> {
        match self.0 {}
    }
}

impl AsFd for Pidfd {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self.0 {}
    }
}

impl Source for Pidfd {
    #[inline]
    fn register(&mut self, _: &Registry, _: Token, _: Interest) -> io::Result<()> {
        match self.0 {}
    }

    #[inline]
    fn reregister(&mut self, _: &Registry, _: Token, _: Interest) -> io::Result<()> {
        match self.0 {}
    }

    #[inline]
    fn deregister(&mut self, _: &Registry) -> io::Result<()> {
        match self.0 {}
    }
}
