//! The `CallError` of a simulated system call.

/// Why a call failed. Each is one error number of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CallError {
    WouldBlock,
    Interrupted,
    BadDescriptor,
    TooManyDescriptors,
    Invalid,
    NotSupported,
    WrongType,
    AddressInUse,
    AddressNotAvailable,
    NoDestination,
    MessageTooLong,
    NotConnected,
    AlreadyConnected,
    BrokenPipe,
    Refused,
    Reset,
    Aborted,
    TimedOut,
    HostUnreachable,
    WrongFamily,
    NotPermitted,
}

/// The result of a simulated system call.
pub(crate) type Answer<T> = Result<T, CallError>;
