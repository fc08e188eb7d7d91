//! Sockets, made without blocking, connected in the background.

use std::io;

use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use super::platform::nonblocking;

/// A stream socket that does not block.
#[inline]
pub(crate) fn stream_socket(domain: Domain) -> io::Result<Socket> {
    nonblocking(domain, Type::STREAM)
}

/// Begins to connect. [`is_connected`] tells later whether that succeeded.
#[inline]
pub(crate) fn begin_connect(socket: &Socket, address: &SockAddr) -> io::Result<()> {
    loop {
        match socket.connect(address) {
            // Asking again is right in both cases: a connection that was begun is now in progress.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if is_in_progress(&error) => return Ok(()),
            other => return other,
        }
    }
}

/// Whether an attempt to connect has succeeded; fails with "would block" while it is undecided.
#[inline]
pub(crate) fn is_connected(socket: SockRef<'_>) -> io::Result<()> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        Err(error) => Err(error),
    }
}

/// Whether a listener certainly has no connection in its queue. On Linux this costs an eighth of an
/// accept in vain, which makes a socket before it looks.
#[cfg(unix)]
pub(crate) fn has_empty_queue(listener: &impl std::os::fd::AsFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let mut of_listener = [PollFd::new(listener, PollFlags::IN)];
    poll(&mut of_listener, Some(&Timespec::default())) == Ok(0)
}

#[cfg(not(unix))]
pub(crate) fn has_empty_queue<T>(_: &T) -> bool {
    false
}

/// Ends the listening at once, though a child that is being started may have a copy of the descriptor
/// until it runs its program. The port could not be bound anew for as long.
#[cfg(unix)]
pub(crate) fn stop_listening(listener: &impl std::os::fd::AsFd) {
    // Only Linux does it. Elsewhere this is an error, and nothing has changed.
    drop(SockRef::from(listener).shutdown(std::net::Shutdown::Both));
}

#[cfg(not(unix))]
pub(crate) fn stop_listening<T>(_: &T) {}

#[inline]
fn is_in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let begun = [Errno::INPROGRESS, Errno::ALREADY, Errno::ISCONN];
        Errno::from_io_error(error).is_some_and(|errno| begun.contains(&errno))
    }
    #[cfg(not(unix))]
    {
        error.kind() == io::ErrorKind::WouldBlock
    }
}
