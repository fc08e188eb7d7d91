//! Transports over Unix sockets.

use std::io;
use std::path::Path;

use super::adopt::adopt;
use super::server::serve;
use super::{Protocol, ProtocolServer, Transport};
use crate::net::{UnixListener, UnixStream};

/// Connects to the socket at a path, and makes a transport with a protocol that `factory` makes.
/// The counterpart of `loop.create_unix_connection`.
///
/// As [`create_connection`](super::create_connection) otherwise. [`Transport::new`] makes a
/// transport of a connected stream, such as one of a pair.
///
/// # Errors
///
/// As for [`UnixStream::connect`].
///
/// # Panics
///
/// When polled outside of a loop, and if `factory` does.
pub async fn create_unix_connection<P: Protocol>(
    factory: impl FnOnce() -> P,
    path: impl AsRef<Path>,
) -> io::Result<Transport> {
    let stream = UnixStream::connect(path).await?;
    Ok(adopt(factory, stream, None).await)
}

/// Listens at a path, and serves each connection by a protocol of its own, made by `factory`. The
/// counterpart of `loop.create_unix_server`.
///
/// As [`create_server`](super::create_server) otherwise. The file at the path stays when the server
/// ends: the program that chose the path removes it.
///
/// # Errors
///
/// As for [`UnixListener::bind`].
///
/// # Panics
///
/// Outside of a loop.
#[track_caller]
pub fn create_unix_server<P: Protocol>(
    factory: impl FnMut() -> P + 'static,
    path: impl AsRef<Path>,
) -> io::Result<ProtocolServer> {
    Ok(serve(factory, UnixListener::bind(path)?, None))
}
