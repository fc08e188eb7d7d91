//! Explained errors: errors of the operating system, with advice on how to avoid them.

use std::error::Error;
use std::fmt;
use std::io;

/// An error of the system, with its meaning for the program.
#[derive(Debug)]
struct Explained {
    meaning: &'static str,
    cause: io::Error,
}

impl fmt::Display for Explained {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.meaning, self.cause)
    }
}

impl Error for Explained {
    #[inline]
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

#[inline]
fn explain(kind: io::ErrorKind, meaning: &'static str, cause: io::Error) -> io::Error {
    io::Error::new(kind, Explained { meaning, cause })
}

/// Explains why a descriptor could not be registered with the poller.
#[inline]
pub(crate) fn explain_register(error: io::Error) -> io::Error {
    match error.kind() {
        _ if is_of_no_poller(&error) => explain(
            io::ErrorKind::Unsupported,
            "the system cannot wait for such a descriptor, which is always ready, as a regular \
             file is: use it directly, or on another thread",
            error,
        ),
        io::ErrorKind::AlreadyExists => explain(
            io::ErrorKind::AlreadyExists,
            "this event loop waits for the descriptor already: use the object that waits for it, \
             or give a duplicate of the descriptor",
            error,
        ),
        _ => error,
    }
}

/// Whether the error means that the system waits for no descriptor of this kind.
#[inline]
fn is_of_no_poller(error: &io::Error) -> bool {
    #[cfg(all(unix, not(target_os = "linux")))]
    {
        use rustix::io::Errno;
        // kqueue has one error for each reason why a device or a file has no events.
        let refusals = [Errno::INVAL, Errno::NODEV, Errno::OPNOTSUPP];
        if Errno::from_io_error(error).is_some_and(|errno| refusals.contains(&errno)) {
            return true;
        }
    }
    error.kind() == io::ErrorKind::PermissionDenied
}

/// Explains why a Unix socket could not be bound: the file of an earlier socket is in its place.
#[cfg(unix)]
#[inline]
pub(crate) fn explain_leftover(error: io::Error) -> io::Error {
    explain(
        io::ErrorKind::AddrInUse,
        "the file is left over from a socket that no longer listens: remove it, then bind",
        error,
    )
}
