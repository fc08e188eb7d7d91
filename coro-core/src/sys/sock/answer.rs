//! The answers of a simulated kernel, as an `io::Result` of the standard library.

use std::io;

use crate::machine::{Answer, CallError};

/// The answer as the system would give it: an error has its number, if the system has numbers.
pub(super) fn told<T>(answer: Answer<T>) -> io::Result<T> {
    answer.map_err(error_of)
}

#[cfg(unix)]
fn error_of(error: CallError) -> io::Error {
    use rustix::io::Errno;
    let number = match error {
        CallError::WouldBlock => Errno::AGAIN,
        CallError::Interrupted => Errno::INTR,
        CallError::BadDescriptor => Errno::BADF,
        CallError::TooManyDescriptors => Errno::MFILE,
        CallError::Invalid => Errno::INVAL,
        CallError::NotSupported => Errno::OPNOTSUPP,
        CallError::WrongType => Errno::PROTOTYPE,
        CallError::AddressInUse => Errno::ADDRINUSE,
        CallError::AddressNotAvailable => Errno::ADDRNOTAVAIL,
        CallError::NoDestination => Errno::DESTADDRREQ,
        CallError::MessageTooLong => Errno::MSGSIZE,
        CallError::NotConnected => Errno::NOTCONN,
        CallError::AlreadyConnected => Errno::ISCONN,
        CallError::BrokenPipe => Errno::PIPE,
        CallError::Refused => Errno::CONNREFUSED,
        CallError::Reset => Errno::CONNRESET,
        CallError::Aborted => Errno::CONNABORTED,
        CallError::TimedOut => Errno::TIMEDOUT,
        CallError::HostUnreachable => Errno::HOSTUNREACH,
        CallError::WrongFamily => Errno::AFNOSUPPORT,
        CallError::NotPermitted => Errno::PERM,
    };
    number.into()
}

#[cfg(not(unix))]
fn error_of(error: CallError) -> io::Error {
    use io::ErrorKind;
    let kind = match error {
        CallError::WouldBlock => ErrorKind::WouldBlock,
        CallError::Interrupted => ErrorKind::Interrupted,
        CallError::AddressInUse => ErrorKind::AddrInUse,
        CallError::AddressNotAvailable => ErrorKind::AddrNotAvailable,
        CallError::NotConnected => ErrorKind::NotConnected,
        CallError::BrokenPipe => ErrorKind::BrokenPipe,
        CallError::Refused => ErrorKind::ConnectionRefused,
        CallError::Reset => ErrorKind::ConnectionReset,
        CallError::Aborted => ErrorKind::ConnectionAborted,
        CallError::TimedOut => ErrorKind::TimedOut,
        CallError::HostUnreachable => ErrorKind::HostUnreachable,
        CallError::NotPermitted => ErrorKind::PermissionDenied,
        CallError::Invalid | CallError::WrongFamily | CallError::WrongType => {
            ErrorKind::InvalidInput
        }
        _ => ErrorKind::Other,
    };
    kind.into()
}
