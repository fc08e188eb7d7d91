//! `open_anew`, which opens the pipe or terminal behind a standard stream once more.

use std::fs::File;
use std::io::IsTerminal;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

use crate::sys::StandardUse;

/// Opens the pipe or terminal behind a descriptor once more, not to block, if permitted.
#[inline]
pub(crate) fn open_anew(fd: BorrowedFd<'_>, to: StandardUse) -> Option<OwnedFd> {
    if !is_pipe(fd) && !fd.is_terminal() {
        return None;
    }
    let mut options = File::options();
    match to {
        StandardUse::Read => options.read(true),
        StandardUse::Write => options.write(true),
    };
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    options.open(path).ok().map(OwnedFd::from)
}

#[inline]
fn is_pipe(fd: BorrowedFd<'_>) -> bool {
    let file = fd.try_clone_to_owned().map(File::from);
    let data = file.and_then(|file| file.metadata());
    data.is_ok_and(|data| data.file_type().is_fifo())
}
