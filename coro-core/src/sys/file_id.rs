//! What tells one open file from another that has come to have its number.

use std::fs::File;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;

/// The device and the number of an open file, pipe or socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId(u64, u64);

impl FileId {
    /// `None` if the system does not tell, or the process may open nothing more.
    #[inline]
    pub(crate) fn of(fd: BorrowedFd<'_>) -> Option<Self> {
        let file = File::from(fd.try_clone_to_owned().ok()?);
        let data = file.metadata().ok()?;
        Some(FileId(data.dev(), data.ino()))
    }
}
