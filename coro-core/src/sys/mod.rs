//! Calls of the operating system: polling, wake-up, sockets, processes, error numbers.

mod explain;
#[cfg(unix)]
mod message;
#[cfg(unix)]
mod pipe;
#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "fallback.rs")]
mod poller;
#[cfg(unix)]
pub(crate) mod process;
mod send_file;
mod signals;
mod socket;
#[cfg(unix)]
mod standard;
mod transfer;
mod wake;

#[cfg(unix)]
pub(crate) use explain::explain_leftover;
pub(crate) use explain::explain_register;
#[cfg(target_os = "linux")]
pub(crate) use message::peer_credentials;
#[cfg(unix)]
pub(crate) use message::{
    DESCRIPTORS_MAX, ip_sender, recv_bytes, recv_datagram, recv_descriptors, send_descriptors,
    unix_sender,
};
#[cfg(unix)]
pub(crate) use pipe::{is_broken, set_nonblocking};
pub(crate) use poller::{Poller, PreciseWaits};
pub(crate) use send_file::{read_at, send_file};
pub(crate) use signals::has_default_action;
#[cfg(unix)]
pub(crate) use signals::is_main_thread;
pub(crate) use socket::{begin_connect, ip_address, is_connected, stream_socket};
#[cfg(unix)]
pub(crate) use standard::{Standard, Use as StandardUse};
pub(crate) use transfer::{receive, send};
pub(crate) use wake::{WAKE_TOKEN, WakeUp};

use std::io;

/// The readiness that an event reports of a descriptor.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Readiness {
    pub(crate) read: bool,
    pub(crate) write: bool,
    /// The peer will send no more: reading stays ready from now on.
    pub(crate) read_closed: bool,
    /// Nothing more can be sent: writing stays ready from now on.
    pub(crate) write_closed: bool,
}

/// Whether an operation failed only because descriptors or memory have run out for now.
pub(crate) fn is_out_of_resources(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let out = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        Errno::from_io_error(error).is_some_and(|errno| out.contains(&errno))
    }
    #[cfg(not(unix))]
    {
        const WSAEMFILE: i32 = 10024;
        const WSAENOBUFS: i32 = 10055;
        matches!(error.raw_os_error(), Some(WSAEMFILE | WSAENOBUFS))
    }
}

/// Whether an accept failed for a reason of one connection, so that the next accept may succeed.
///
/// accept(2) names these: errors that were already pending on the new socket.
pub(crate) fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | HostUnreachable | NetworkUnreachable | NetworkDown
    ) || is_protocol_error(error)
}

fn is_protocol_error(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let of_one = [
            Errno::PROTO,
            Errno::NOPROTOOPT,
            Errno::HOSTDOWN,
            Errno::OPNOTSUPP,
        ];
        Errno::from_io_error(error).is_some_and(|errno| of_one.contains(&errno))
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}
