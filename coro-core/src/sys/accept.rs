//! The meaning of the errors of an accept.

use std::io;

/// Why an accept failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AcceptFailure {
    /// The connection at the head of the queue is gone; the next accept may succeed.
    OfConnection,
    /// Something is short or amiss for now; a later accept may succeed.
    ForNow,
    /// The descriptor listens no more: no accept will ever succeed.
    OfListener,
}

/// Tells the failures of one connection from those of the listener.
///
/// accept(2) hands on errors that were pending on the new connection, and says that kernels differ
/// in which ones. So the list of what ends a listener is the short one: a number that stands in
/// neither list is taken for something that passes. An error without a number is our own, as the
/// one for waiting in another loop, and no later try will mend it.
#[inline]
pub(crate) fn accept_failure(error: &io::Error) -> AcceptFailure {
    match error.raw_os_error() {
        None => AcceptFailure::OfListener,
        Some(number) if numbers::OF_LISTENER.contains(&number) => AcceptFailure::OfListener,
        Some(number) if numbers::OF_CONNECTION.contains(&number) => AcceptFailure::OfConnection,
        _ => AcceptFailure::ForNow,
    }
}

#[cfg(unix)]
mod numbers {
    use rustix::io::Errno;

    pub(super) const OF_LISTENER: [i32; 4] = [
        Errno::BADF.raw_os_error(),
        Errno::INVAL.raw_os_error(),
        Errno::NOTSOCK.raw_os_error(),
        Errno::OPNOTSUPP.raw_os_error(),
    ];

    pub(super) const OF_CONNECTION: &[i32] = &[
        Errno::CONNABORTED.raw_os_error(),
        Errno::CONNRESET.raw_os_error(),
        Errno::HOSTDOWN.raw_os_error(),
        Errno::HOSTUNREACH.raw_os_error(),
        Errno::NETDOWN.raw_os_error(),
        Errno::NETUNREACH.raw_os_error(),
        Errno::NOPROTOOPT.raw_os_error(),
        Errno::PERM.raw_os_error(), // a firewall forbids this one
        Errno::PROTO.raw_os_error(),
        Errno::PROTONOSUPPORT.raw_os_error(),
        Errno::SOCKTNOSUPPORT.raw_os_error(),
        Errno::TIMEDOUT.raw_os_error(),
        #[cfg(target_os = "linux")]
        Errno::NONET.raw_os_error(),
    ];
}

#[cfg(windows)]
mod numbers {
    const WSAEBADF: i32 = 10009;
    const WSAEINVAL: i32 = 10022;
    const WSAENOTSOCK: i32 = 10038;
    const WSAEOPNOTSUPP: i32 = 10045;
    const WSANOTINITIALISED: i32 = 10093;

    pub(super) const OF_LISTENER: [i32; 5] = [
        WSAEBADF,
        WSAEINVAL,
        WSAENOTSOCK,
        WSAEOPNOTSUPP,
        WSANOTINITIALISED,
    ];

    const WSAENETDOWN: i32 = 10050;
    const WSAENETUNREACH: i32 = 10051;
    const WSAECONNABORTED: i32 = 10053;
    const WSAECONNRESET: i32 = 10054;
    const WSAETIMEDOUT: i32 = 10060;
    const WSAEHOSTDOWN: i32 = 10064;
    const WSAEHOSTUNREACH: i32 = 10065;

    pub(super) const OF_CONNECTION: &[i32] = &[
        WSAENETDOWN,
        WSAENETUNREACH,
        WSAECONNABORTED,
        WSAECONNRESET,
        WSAETIMEDOUT,
        WSAEHOSTDOWN,
        WSAEHOSTUNREACH,
    ];
}

#[cfg(not(any(unix, windows)))]
mod numbers {
    pub(super) const OF_LISTENER: [i32; 0] = [];
    pub(super) const OF_CONNECTION: &[i32] = &[];
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::io::Errno;

    use super::*;

    fn of(errno: Errno) -> AcceptFailure {
        accept_failure(&errno.into())
    }

    #[test]
    fn only_a_descriptor_that_does_not_listen_is_given_up() {
        for number in 1..134 {
            let terminal = [Errno::BADF, Errno::INVAL, Errno::NOTSOCK, Errno::OPNOTSUPP];
            let errno = Errno::from_raw_os_error(number);
            let ends_it = of(errno) == AcceptFailure::OfListener;
            assert_eq!(ends_it, terminal.contains(&errno), "{errno:?}");
        }
    }

    #[test]
    fn errors_of_one_connection_are_told_from_shortages() {
        for errno in [Errno::NONET, Errno::PERM, Errno::TIMEDOUT, Errno::PROTO] {
            assert_eq!(of(errno), AcceptFailure::OfConnection, "{errno:?}");
        }
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
            assert_eq!(of(errno), AcceptFailure::ForNow, "{errno:?}");
        }
        let ours = io::Error::other("waiting in another loop");
        assert_eq!(accept_failure(&ours), AcceptFailure::OfListener);
    }
}
