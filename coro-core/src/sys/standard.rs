//! Standard input, output, error: used without blocking, without changing their settings.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::platform;

/// A descriptor of coro's own for the file behind a standard descriptor.
pub(crate) struct Standard {
    fd: OwnedFd,
    /// The open file is not shared, and set not to block.
    owned: bool,
}

/// The direction in which a standard descriptor is used.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    Read,
    Write,
}

impl Standard {
    /// Opens a pipe or a terminal anew, if permitted, and sets the new open file not to block: a
    /// duplicate would share that setting with the shell, and with `println!`. Any other file is
    /// duplicated, and its settings are unchanged.
    #[inline]
    pub(crate) fn open(fd: BorrowedFd<'_>, to: Use) -> io::Result<Self> {
        match platform::open_anew(fd, to) {
            Some(fd) => Ok(Standard { fd, owned: true }),
            None => Ok(Standard {
                fd: fd.try_clone_to_owned()?,
                owned: false,
            }),
        }
    }

    /// Reads if input is available; otherwise fails with "would block".
    #[inline]
    pub(crate) fn read_if_ready(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check(PollFlags::IN)?;
        self.read(buffer)
    }

    /// Writes if there is room; otherwise fails with "would block".
    #[inline]
    pub(crate) fn write_if_ready(&self, bytes: &[u8]) -> io::Result<usize> {
        self.check(PollFlags::OUT)?;
        self.write(bytes)
    }

    #[inline]
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.fd, buffer)?)
    }

    #[inline]
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        // `PIPE_BUF` bytes fit whenever a pipe is writable, so a blocking pipe does not block here.
        let len = bytes.len().min(libc::PIPE_BUF);
        Ok(rustix::io::write(&self.fd, &bytes[..len])?)
    }

    #[inline]
    fn check(&self, flags: PollFlags) -> io::Result<()> {
        if self.owned {
            return Ok(()); // the operation itself says whether it would block
        }
        let mut polled = [PollFd::new(&self.fd, flags)];
        match poll(&mut polled, Some(&Timespec::default()))? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        }
    }
}

impl AsFd for Standard {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
