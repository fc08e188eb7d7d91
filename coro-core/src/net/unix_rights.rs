//! Descriptors sent along with bytes over Unix sockets; the peer's credentials.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use crate::sys;

/// Bytes and descriptors that were received together.
#[derive(Debug)]
#[non_exhaustive]
pub struct WithDescriptors {
    /// How many bytes of the buffer were received; for a stream, zero is its end.
    pub len: usize,
    /// The descriptors that came along. Programs that are started later do not inherit them.
    pub fds: Vec<OwnedFd>,
    /// More descriptors came along than were asked for, or than the process may open; the surplus
    /// was closed.
    pub fds_truncated: bool,
    /// The buffer was too short for the datagram, and the rest of its bytes is lost.
    pub truncated: bool,
}

/// The process at the other end of a Unix socket, as the kernel noted when it was connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerCredentials {
    /// The process id.
    pub pid: u32,
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
}

#[cfg(target_os = "linux")]
#[inline]
pub(super) fn peer_credentials(
    of: &sys::Sock<mio::net::UnixStream>,
) -> io::Result<PeerCredentials> {
    let (pid, uid, gid) = of.peer_credentials()?;
    Ok(PeerCredentials { pid, uid, gid })
}

#[inline]
pub(super) fn with_descriptors(received: sys::Received) -> WithDescriptors {
    WithDescriptors {
        len: received.len,
        fds: received.descriptors,
        fds_truncated: received.descriptors_cut,
        truncated: received.bytes_cut,
    }
}

/// The end of a socket that was shut down for receiving.
#[inline]
pub(super) fn end() -> io::Result<WithDescriptors> {
    Ok(WithDescriptors {
        len: 0,
        fds: Vec::new(),
        fds_truncated: false,
        truncated: false,
    })
}

/// Refuses a message that the kernel would refuse or not deliver, with an explanation.
#[inline]
pub(super) fn check(bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let meaning = if bytes.is_empty() {
        "descriptors are sent along with bytes: send at least one"
    } else if fds.len() > sys::DESCRIPTORS_MAX {
        "more than 253 descriptors cannot be sent along at once: send several times"
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, meaning))
}

/// Defines the passing of descriptors, for streams as well as datagrams.
macro_rules! descriptor_passing {
    ($socket:ident) => {
        #[cfg_attr(docsrs, doc(cfg(feature = "ancillary")))]
        impl $socket {
            /// Sends bytes, and descriptors along with the first of them. Gives how many bytes were
            /// sent, at least one.
            ///
            /// The receiver gets its own descriptors for the same open files (`SCM_RIGHTS`); the
            /// sender's stay open. At most 253 can be sent at once. Dropping the future sends
            /// nothing. It needs the feature `ancillary`.
            ///
            /// # Errors
            ///
            /// If there are no bytes or too many descriptors; and as for sending.
            #[inline]
            pub async fn send_fds(
                &self,
                bytes: &[u8],
                fds: &[std::os::fd::BorrowedFd<'_>],
            ) -> std::io::Result<usize> {
                $crate::net::unix_rights::check(bytes, fds)?;
                self.ready
                    .io($crate::event_loop::Direction::Write, |io| {
                        io.send_descriptors(bytes, fds)
                    })
                    .await
            }

            /// Receives bytes, and at most `fds_max` descriptors that came along with them.
            ///
            /// The sender decides how many descriptors come. Those beyond `fds_max` are closed at
            /// once, and `fds_truncated` is set. Dropping the future loses nothing. It needs the
            /// feature `ancillary`.
            ///
            /// # Errors
            ///
            /// As for receiving.
            #[inline]
            pub async fn recv_fds(
                &self,
                buffer: &mut [u8],
                fds_max: usize,
            ) -> std::io::Result<$crate::net::WithDescriptors> {
                self.ready
                    .io($crate::event_loop::Direction::Read, |io| {
                        let received = io.recv_descriptors(buffer, fds_max);
                        let received = received.map($crate::net::unix_rights::with_descriptors);
                        let end = $crate::net::unix_rights::end;
                        $crate::net::datagram::or_end(&self.ready, received, end)
                    })
                    .await
            }
        }
    };
}

pub(super) use descriptor_passing;
