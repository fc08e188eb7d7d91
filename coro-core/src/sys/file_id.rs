//! What tells one open file from another that has come to have its number.

use std::os::fd::BorrowedFd;

/// The device and the number of an open file, pipe or socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId(u64, u64);

impl FileId {
    /// `None` if the system does not tell.
    pub(crate) fn of(fd: BorrowedFd<'_>) -> Option<Self> {
        let stat = rustix::fs::fstat(fd).ok()?;
        #[allow(
            clippy::unnecessary_cast,
            reason = "the types differ from system to system"
        )]
        Some(FileId(stat.st_dev as u64, stat.st_ino as u64))
    }
}
