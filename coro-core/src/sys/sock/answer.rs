//! The answers of a simulated kernel, as an `io::Result` of the standard library.

use std::io;

use crate::machine::{Answer, CallError};

/// The answer as the system would give it: an error has its number, if the system has numbers.
pub(super) fn told<T>(answer: Answer<T>) -> io::Result<T> {
    answer.map_err(error_of)
}

#[cfg(unix)]
#[inline]
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

/// The numbers of Winsock. `Interrupted` and `BrokenPipe` have none to which the standard library gives
/// their kind.
#[cfg(windows)]
#[inline]
fn error_of(error: CallError) -> io::Error {
    let number = match error {
        CallError::Interrupted => return io::ErrorKind::Interrupted.into(),
        CallError::BrokenPipe => return io::ErrorKind::BrokenPipe.into(),
        CallError::BadDescriptor => 10009,
        CallError::NotPermitted => 10013,
        CallError::Invalid => 10022,
        CallError::TooManyDescriptors => 10024,
        CallError::WouldBlock => 10035,
        CallError::NoDestination => 10039,
        CallError::MessageTooLong => 10040,
        CallError::WrongType => 10041,
        CallError::NotSupported => 10045,
        CallError::WrongFamily => 10047,
        CallError::AddressInUse => 10048,
        CallError::AddressNotAvailable => 10049,
        CallError::Aborted => 10053,
        CallError::Reset => 10054,
        CallError::AlreadyConnected => 10056,
        CallError::NotConnected => 10057,
        CallError::TimedOut => 10060,
        CallError::Refused => 10061,
        CallError::HostUnreachable => 10065,
    };
    io::Error::from_raw_os_error(number)
}
