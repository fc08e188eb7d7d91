//! Pipes that other processes may share.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;

/// Sets the descriptor not to block. Its duplicates share the setting.
#[inline]
pub(crate) fn set_nonblocking(descriptor: &OwnedFd) -> io::Result<()> {
    Ok(ioctl_fionbio(descriptor, true)?)
}

/// Whether a pipe has lost its reader: every descriptor of its other end was closed.
pub(crate) fn is_broken(pipe: &impl AsFd) -> io::Result<bool> {
    let mut of_pipe = [PollFd::new(pipe, PollFlags::empty())];
    poll(&mut of_pipe, Some(&Timespec::default()))?;
    let gone = PollFlags::ERR | PollFlags::HUP;
    Ok(of_pipe[0].revents().intersects(gone))
}
