//! Sending a file's bytes to a socket.

use std::fs::File;
use std::io;

/// How many bytes one call moves at most, so that it does not delay the loop for long.
#[cfg(target_os = "linux")]
const CHUNK: u64 = 256 * 1024;

/// Has the kernel move bytes of a file to a socket that does not block. Gives their number, 0 at
/// the end of the file; fails with "unsupported" if the kernel cannot do that for this file or
/// socket.
#[cfg(target_os = "linux")]
pub(crate) fn send_file(
    to: &impl std::os::fd::AsFd,
    file: &File,
    offset: u64,
    len: u64,
) -> io::Result<usize> {
    use rustix::io::Errno;
    let len = len.min(CHUNK) as usize;
    match rustix::fs::sendfile(to, file, Some(&mut { offset }), len) {
        Err(Errno::INVAL | Errno::NOSYS) => Err(io::ErrorKind::Unsupported.into()),
        other => other.map_err(io::Error::from),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn send_file<T>(_: &T, _: &File, _: u64, _: u64) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Reads at an offset of a file; 0 means its end.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, buffer, offset);
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, buffer, offset);
        match read {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
