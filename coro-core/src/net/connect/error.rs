//! The error of a failed connection attempt to a host.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

/// The error of a failed connection to a host: its name has no address, or no address accepted.
///
/// It converts to an [`io::Error`] of the same [`kind`](Self::kind), which keeps it inside.
///
/// ```
/// coro::run(async {
///     let listener = coro::net::TcpListener::bind("127.0.0.1:0").unwrap();
///     let address = listener.local_addr().unwrap();
///     drop(listener);
///     let error = coro::net::open_connection("127.0.0.1", address.port()).await.unwrap_err();
///     assert_eq!(error.attempts().len(), 1);
///     assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
/// });
/// ```
pub struct ConnectError {
    target: String,
    why: ConnectFailure,
}

enum ConnectFailure {
    Lookup(io::Error),
    Attempts(Vec<(SocketAddr, io::Error)>),
}

impl ConnectError {
    #[inline]
    pub(super) fn of_lookup(target: String, error: io::Error) -> Self {
        ConnectError {
            target,
            why: ConnectFailure::Lookup(error),
        }
    }

    #[inline]
    pub(super) fn of_attempts(target: String, attempts: Vec<(SocketAddr, io::Error)>) -> Self {
        ConnectError {
            target,
            why: match attempts.is_empty() {
                true => ConnectFailure::Lookup(no_address()),
                false => ConnectFailure::Attempts(attempts),
            },
        }
    }

    /// The addresses that were tried, in the order in which the attempts began, each with its error.
    ///
    /// Empty if the name was not resolved.
    #[inline]
    pub fn attempts(&self) -> &[(SocketAddr, io::Error)] {
        match &self.why {
            ConnectFailure::Lookup(_) => &[],
            ConnectFailure::Attempts(attempts) => attempts,
        }
    }

    /// The error of the lookup, if the name was not resolved.
    #[inline]
    pub fn lookup_error(&self) -> Option<&io::Error> {
        match &self.why {
            ConnectFailure::Lookup(error) => Some(error),
            ConnectFailure::Attempts(_) => None,
        }
    }

    /// The kind of the first attempt's error, or of the lookup's.
    #[inline]
    pub fn kind(&self) -> io::ErrorKind {
        self.first().kind()
    }

    #[inline]
    fn first(&self) -> &io::Error {
        match &self.why {
            ConnectFailure::Lookup(error) => error,
            ConnectFailure::Attempts(attempts) => &attempts[0].1,
        }
    }

    /// Converts to an [`io::Error`]; if there was just one attempt, that is the system's own error.
    #[inline]
    pub(super) fn plain(self) -> io::Error {
        match self.why {
            ConnectFailure::Attempts(mut attempts) if attempts.len() == 1 => attempts.remove(0).1,
            why => ConnectError { why, ..self }.into(),
        }
    }
}

#[inline]
fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "there is no address")
}

impl fmt::Display for ConnectError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}", self.target)?;
        match &self.why {
            ConnectFailure::Lookup(error) => write!(f, ": {error}"),
            ConnectFailure::Attempts(attempts) => {
                attempts.iter().enumerate().try_for_each(|(n, attempt)| {
                    let (address, error) = attempt;
                    f.write_str(if n == 0 { ": " } else { "; " })?;
                    match address.to_string() == self.target {
                        true => write!(f, "{error}"),
                        false => write!(f, "{address}: {error}"),
                    }
                })
            }
        }
    }
}

impl fmt::Debug for ConnectError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectError({self})")
    }
}

impl Error for ConnectError {
    /// The error of the first attempt, or of the lookup.
    #[inline]
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.first())
    }
}

impl From<ConnectError> for io::Error {
    #[inline]
    fn from(error: ConnectError) -> Self {
        io::Error::new(error.kind(), error)
    }
}
