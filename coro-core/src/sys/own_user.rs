//! A connection to another process of the same user, by an abstract name.

use std::io;
use std::os::unix::net::UnixStream;

use rustix::net::SocketAddrUnix;
use rustix::process::geteuid;
use socket2::{Domain, Socket, Type};

use super::message::peer_credentials;

/// Connects without waiting, to a socket that this user or root has made.
///
/// Any user may take a free name, so the name says nothing of its owner.
#[inline]
pub(crate) fn connect_to_own_user(name: &[u8]) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?; // a queue that is full is another user's trap
    rustix::net::connect(&socket, &SocketAddrUnix::new_abstract_name(name)?)?;
    let (_, user, _) = peer_credentials(&socket)?;
    match user == 0 || user == geteuid().as_raw() {
        true => Ok(socket.into()),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}
