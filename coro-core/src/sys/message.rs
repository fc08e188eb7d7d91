//! Messages of sockets: bytes, descriptors sent along, the sender's address; the credentials of a peer.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::SocketAddr as UnixAddress;
use std::path::Path;

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, RecvMsg, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrAny, SocketAddrUnix, recvmsg,
    sendmsg,
};

/// The most descriptors that the kernel passes along with one message.
pub(crate) const DESCRIPTORS_MAX: usize = 253;

/// A received message, with the descriptors that came along.
pub(crate) struct Received {
    pub(crate) len: usize,
    pub(crate) descriptors: Vec<OwnedFd>,
    /// More descriptors came than there was room for; the surplus was closed.
    pub(crate) descriptors_cut: bool,
    /// More bytes came than there was room for; the rest is lost.
    pub(crate) bytes_cut: bool,
}

/// Receives bytes; gives their number, and whether descriptors came along, which are closed.
pub(crate) fn recv_bytes(
    from: impl AsFd,
    buffers: &mut [IoSliceMut<'_>],
) -> io::Result<(usize, bool)> {
    let mut control = RecvAncillaryBuffer::default();
    let message = recvmsg(from, buffers, &mut control, receiving())?;
    Ok((message.bytes, message.flags.contains(ReturnFlags::CTRUNC)))
}

/// Receives bytes and at most `descriptors_max` descriptors, which other programs do not inherit.
pub(crate) fn recv_descriptors(
    from: impl AsFd,
    bytes: &mut [u8],
    descriptors_max: usize,
) -> io::Result<Received> {
    let max = descriptors_max.min(DESCRIPTORS_MAX);
    let mut space = vec![MaybeUninit::uninit(); cmsg_space!(ScmRights(max))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let buffers = &mut [IoSliceMut::new(bytes)];
    let message = recvmsg(from, buffers, &mut control, receiving())?;
    let mut descriptors = Vec::new();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(some) = part {
            descriptors.extend(some);
        }
    }
    for descriptor in &descriptors {
        close_on_exec(descriptor)?;
    }
    // The space is aligned, so it may be a little larger than requested.
    let surplus = descriptors.len() > max;
    descriptors.truncate(max);
    Ok(Received {
        len: message.bytes,
        descriptors,
        descriptors_cut: surplus || message.flags.contains(ReturnFlags::CTRUNC),
        bytes_cut: message.flags.contains(ReturnFlags::TRUNC),
    })
}

/// Sends bytes, and descriptors along with them.
pub(crate) fn send_descriptors(
    to: impl AsFd,
    bytes: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<usize> {
    let mut space = vec![MaybeUninit::uninit(); cmsg_space!(ScmRights(descriptors.len()))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let sent = sendmsg(to, &[IoSlice::new(bytes)], &mut control, sending())?;
    Ok(sent)
}

/// Receives one datagram: the length that fitted, its sender, whether its end was cut off.
pub(crate) fn recv_datagram(
    from: impl AsFd,
    bytes: &mut [u8],
) -> io::Result<(usize, Option<SocketAddrAny>, bool)> {
    let mut control = RecvAncillaryBuffer::default();
    let buffers = &mut [IoSliceMut::new(bytes)];
    let RecvMsg {
        bytes: len,
        flags,
        address,
    } = recvmsg(from, buffers, &mut control, receiving())?;
    Ok((len, address, flags.contains(ReturnFlags::TRUNC)))
}

/// The IP address of a datagram's sender.
#[inline]
pub(crate) fn ip_sender(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    let address = address.and_then(|address| SocketAddr::try_from(address).ok());
    address.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an address of IP"))
}

/// The address of a datagram's sender on a Unix socket; without one, the unnamed address.
#[inline]
pub(crate) fn unix_sender(address: Option<SocketAddrAny>) -> io::Result<UnixAddress> {
    let address = address.and_then(|address| SocketAddrUnix::try_from(address).ok());
    #[cfg(target_os = "linux")]
    if let Some(name) = address.as_ref().and_then(SocketAddrUnix::abstract_name) {
        use std::os::linux::net::SocketAddrExt;
        return UnixAddress::from_abstract_name(name);
    }
    use std::os::unix::ffi::OsStrExt;
    let path = address.as_ref().and_then(SocketAddrUnix::path_bytes);
    let path = path.map_or(&[][..], |path| path.strip_suffix(&[0]).unwrap_or(path));
    UnixAddress::from_pathname(Path::new(std::ffi::OsStr::from_bytes(path)))
}

#[cfg(not(target_vendor = "apple"))]
#[inline]
fn receiving() -> RecvFlags {
    RecvFlags::CMSG_CLOEXEC
}

#[cfg(target_vendor = "apple")]
#[inline]
fn receiving() -> RecvFlags {
    RecvFlags::empty()
}

#[cfg(not(target_vendor = "apple"))]
#[inline]
fn close_on_exec(_: &OwnedFd) -> io::Result<()> {
    Ok(()) // the kernel has seen to it
}

#[cfg(target_vendor = "apple")]
#[inline]
fn close_on_exec(descriptor: &OwnedFd) -> io::Result<()> {
    Ok(rustix::io::fcntl_setfd(
        descriptor,
        rustix::io::FdFlags::CLOEXEC,
    )?)
}

#[cfg(not(target_vendor = "apple"))]
#[inline]
fn sending() -> SendFlags {
    SendFlags::NOSIGNAL
}

#[cfg(target_vendor = "apple")]
#[inline]
fn sending() -> SendFlags {
    SendFlags::empty() // the standard library has set the sockets not to raise it
}

/// The process at the other end of a Unix socket, its user and its group.
#[cfg(target_os = "linux")]
pub(crate) fn peer_credentials(of: impl AsFd) -> io::Result<(u32, u32, u32)> {
    let peer = rustix::net::sockopt::socket_peercred(of)?;
    let pid = peer.pid.as_raw_nonzero().get().unsigned_abs();
    Ok((pid, peer.uid.as_raw(), peer.gid.as_raw()))
}
