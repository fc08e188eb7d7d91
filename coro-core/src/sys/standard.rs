//! The standard input and outputs, read and written without blocking and without a change to them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A descriptor of ours for what a standard descriptor refers to.
pub(crate) struct Standard {
    fd: OwnedFd,
    /// The open file is ours alone, and set not to block.
    owned: bool,
}

/// Which side of a standard descriptor is used.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    Read,
    Write,
}

impl Standard {
    /// Opens a pipe or a terminal anew, where that may be, so that it can be set not to block:
    /// a duplicate would share that setting with the shell, and with `println!`. Anything else is
    /// a duplicate, and left as it is.
    pub(crate) fn open(fd: BorrowedFd<'_>, to: Use) -> io::Result<Self> {
        match open_anew(fd, to) {
            Some(fd) => Ok(Standard { fd, owned: true }),
            None => Ok(Standard {
                fd: fd.try_clone_to_owned()?,
                owned: false,
            }),
        }
    }

    /// Reads if something is there, or else would block.
    pub(crate) fn read_if_ready(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check(PollFlags::IN)?;
        self.read(buffer)
    }

    /// Writes if there is room, or else would block.
    pub(crate) fn write_if_ready(&self, bytes: &[u8]) -> io::Result<usize> {
        self.check(PollFlags::OUT)?;
        self.write(bytes)
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.fd, buffer)?)
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        // No more than there is room for when there is any, lest a pipe that blocks do so.
        let len = bytes.len().min(rustix::pipe::PIPE_BUF);
        Ok(rustix::io::write(&self.fd, &bytes[..len])?)
    }

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
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(target_os = "linux")]
fn open_anew(fd: BorrowedFd<'_>, to: Use) -> Option<OwnedFd> {
    use rustix::fs::{Mode, OFlags, open};
    use std::io::IsTerminal;
    use std::os::fd::AsRawFd;
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

#[cfg(not(target_os = "linux"))]
fn open_anew(_: BorrowedFd<'_>, _: Use) -> Option<OwnedFd> {
    None
}

#[cfg(target_os = "linux")]
fn is_pipe(fd: BorrowedFd<'_>) -> bool {
    use rustix::fs::{FileType, fstat};
    fstat(fd).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
}
