//! Errors by which a connection ends because its other end has gone.

use std::error::Error;
use std::io;

use crate::net::ReadError;

/// How many errors of a chain are examined at most: a chain that leads back to itself has no end.
const DEPTH_MAX: u32 = 32;

/// Whether an error says that the other end of a connection has gone: it was reset, aborted or
/// broken, ended too early, is not there any more, or has not answered the system for too long.
///
/// Every public port sees such ends all day, and they need no report. So a handler of
/// [`start_server`](super::start_server) may end with them: see
/// [`HandlerOutput`](super::HandlerOutput). This function is for errors of types that the server
/// does not know, and for servers of other kinds. It examines the error itself, the error that it
/// wraps, and its sources.
///
/// A deadline of the program's own, as of [`timeout`](crate::time::timeout), is no such end.
///
/// ```
/// use coro::net::is_hang_up;
/// use std::io;
///
/// let reset = io::Error::from(io::ErrorKind::ConnectionReset);
/// assert!(is_hang_up(&io::Error::other(reset)));
/// assert!(!is_hang_up(&io::Error::from(io::ErrorKind::PermissionDenied)));
/// ```
#[inline]
pub fn is_hang_up(error: &(dyn Error + 'static)) -> bool {
    is_hang_up_within(error, DEPTH_MAX)
}

#[inline]
fn is_hang_up_within(error: &(dyn Error + 'static), depth: u32) -> bool {
    if depth == 0 {
        return false;
    }
    let mut wrapped = error.source();
    if let Some(error) = error.downcast_ref::<io::Error>() {
        if is_of_peer(error) {
            return true;
        }
        // The source of an `io::Error` is the source of the error in it, and skips that error.
        wrapped = error.get_ref().map(|inner| inner as &(dyn Error + 'static));
    }
    if let Some(error) = error.downcast_ref::<ReadError>() {
        if error.is_end() {
            return true;
        }
        wrapped = error.as_io().map(|inner| inner as &(dyn Error + 'static));
    }
    wrapped.is_some_and(|error| is_hang_up_within(error, depth - 1))
}

#[inline]
fn is_of_peer(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    match error.kind() {
        ConnectionReset | ConnectionAborted | BrokenPipe | NotConnected | UnexpectedEof => true,
        TimedOut => error.raw_os_error().is_some(),
        _ => false,
    }
}
