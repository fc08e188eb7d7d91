//! Listening sockets, as servers want them.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

/// How a listening socket is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listening {
    pub(crate) backlog: i32,
    pub(crate) reuse_port: bool,
    /// One of IP version 6 leaves version 4 to others.
    pub(crate) only_v6: bool,
}

pub(crate) fn listen(address: SocketAddr, how: Listening) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if cfg!(unix) {
        socket.set_reuse_address(true)?; // elsewhere it means to take it from others
    }
    if how.reuse_port {
        reuse_port(&socket)?;
    }
    if how.only_v6 && address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(how.backlog)?;
    Ok(socket.into())
}

#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
fn reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(all(unix, not(any(target_os = "solaris", target_os = "illumos")))))]
fn reuse_port(_: &Socket) -> io::Result<()> {
    let message = "this system does not let listeners share a port";
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}
