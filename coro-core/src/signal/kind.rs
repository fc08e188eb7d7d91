//! The kinds of signals.

use std::ffi::c_int;
use std::fmt;
use std::io;

use signal_hook::consts;
use signal_hook::low_level::signal_name;

/// The kind of signal to listen for.
///
/// ```
/// use coro::signal::SignalKind;
///
/// assert_eq!(SignalKind::interrupt().to_string(), "SIGINT");
/// assert_eq!(SignalKind::from_raw(SignalKind::terminate().as_raw()), SignalKind::terminate());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SignalKind(c_int);

impl SignalKind {
    /// A signal by its number.
    ///
    /// The number is checked when a listener for it is made.
    #[inline]
    pub const fn from_raw(number: c_int) -> Self {
        SignalKind(number)
    }

    /// The number of the signal.
    #[inline]
    pub const fn as_raw(self) -> c_int {
        self.0
    }

    /// `SIGINT`: Ctrl-C.
    #[inline]
    pub const fn interrupt() -> Self {
        SignalKind(consts::SIGINT)
    }

    /// `SIGTERM`: asks a process to end.
    #[inline]
    pub const fn terminate() -> Self {
        SignalKind(consts::SIGTERM)
    }

    /// Refuses signals that cannot be listened for: the system does not allow it, or the program
    /// could not continue after such a signal.
    #[inline]
    pub(super) fn check(self) -> io::Result<()> {
        if consts::FORBIDDEN.contains(&self.0) {
            let message = format!("{self} cannot be listened for");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(())
    }
}

#[cfg(unix)]
impl SignalKind {
    /// `SIGHUP`: the terminal is gone; by custom, asks a server to read its configuration again.
    #[inline]
    pub const fn hangup() -> Self {
        SignalKind(consts::SIGHUP)
    }

    /// `SIGQUIT`: Ctrl-\.
    #[inline]
    pub const fn quit() -> Self {
        SignalKind(consts::SIGQUIT)
    }

    /// `SIGUSR1`: for the program's own use.
    #[inline]
    pub const fn user_defined1() -> Self {
        SignalKind(consts::SIGUSR1)
    }

    /// `SIGUSR2`: for the program's own use.
    #[inline]
    pub const fn user_defined2() -> Self {
        SignalKind(consts::SIGUSR2)
    }

    /// `SIGCHLD`: a child process has ended or stopped.
    #[inline]
    pub const fn child() -> Self {
        SignalKind(consts::SIGCHLD)
    }

    /// `SIGWINCH`: the terminal has changed its size.
    #[inline]
    pub const fn window_change() -> Self {
        SignalKind(consts::SIGWINCH)
    }

    /// `SIGPIPE`: the process wrote to a pipe or socket that has lost its reader.
    #[inline]
    pub const fn pipe() -> Self {
        SignalKind(consts::SIGPIPE)
    }

    /// `SIGALRM`: a timer of the system has run out.
    #[inline]
    pub const fn alarm() -> Self {
        SignalKind(consts::SIGALRM)
    }
}

impl fmt::Display for SignalKind {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match signal_name(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

impl fmt::Debug for SignalKind {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignalKind({self})")
    }
}
