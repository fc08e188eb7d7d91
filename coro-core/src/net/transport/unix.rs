//! Transports over Unix sockets.

use std::io;
use std::path::Path;

use super::adopt::adopt;
use super::server::{Listen, serve};
use super::{Protocol, ProtocolServer, Transport};
use crate::net::{UnixListener, UnixStream};

/// Connects to the socket at a path, and has the protocol that `factory` makes told of what
/// happens. The counterpart of `loop.create_unix_connection`.
///
/// As [`create_connection`](super::create_connection) otherwise. A stream that is connected
/// already, as one of a pair, becomes a transport by [`Transport::new`].
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

/// Listens at a path, and has a protocol of its own, made by `factory`, told of each connection.
/// The counterpart of `loop.create_unix_server`.
///
/// As [`create_server`](super::create_server) otherwise. The file at the path stays when the server
/// ends: removing it is up to who chose the path.
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

impl Listen for UnixListener {
    type Stream = UnixStream;

    async fn next(&self) -> io::Result<(UnixStream, Option<std::net::SocketAddr>)> {
        Ok((self.accept().await?.0, None))
    }
}
