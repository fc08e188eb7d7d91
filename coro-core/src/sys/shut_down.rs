//! Whether a socket was shut down for receiving; the failure of a listener that was.

use std::io;
use std::os::fd::AsFd;

/// Whether a socket was shut down for receiving, so that no more will come.
///
/// Linux has a receive that does not block say "would block" all the same: on a socket for
/// datagrams, where one that blocks gives 0, and on a Unix listener, where accept(2) gives EINVAL.
#[cfg(target_os = "linux")]
pub(crate) fn is_shut_for_receiving(socket: impl AsFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut of_socket = [PollFd::new(&socket, PollFlags::RDHUP)];
    let polled = poll(&mut of_socket, Some(&Timespec::default()));
    polled.is_ok() && of_socket[0].revents().contains(PollFlags::RDHUP)
}

/// Other systems say so at the receive itself.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_shut_for_receiving(_: impl AsFd) -> bool {
    false
}

/// The failure of an accept on a listener that was shut down.
#[inline]
pub(crate) fn is_no_listener() -> io::Error {
    rustix::io::Errno::INVAL.into()
}
