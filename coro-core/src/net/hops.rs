//! How many hops, from router to router, the packets of a socket may pass.

use std::io;

use socket2::SockRef;

#[inline]
pub(super) fn get(socket: &SockRef<'_>) -> io::Result<u32> {
    match is_v6(socket)? {
        true => socket.unicast_hops_v6(),
        false => socket.ttl_v4(),
    }
}

#[inline]
pub(super) fn set(socket: &SockRef<'_>, ttl: u32) -> io::Result<()> {
    match is_v6(socket)? {
        true => socket.set_unicast_hops_v6(ttl),
        false => socket.set_ttl_v4(ttl),
    }
}

#[inline]
fn is_v6(socket: &SockRef<'_>) -> io::Result<bool> {
    Ok(socket.local_addr()?.is_ipv6())
}
