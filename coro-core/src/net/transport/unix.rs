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
/// ```
/// use coro::io::AsyncReadExt;
/// use coro::net::{self, Protocol, Transport, UnixListener};
///
/// struct Greeter;
///
/// impl Protocol for Greeter {
///     fn connection_made(&mut self, transport: &Transport) {
///         transport.write(b"hello");
///         transport.close();
///     }
///
///     fn data_received(&mut self, _: &[u8]) {}
/// }
///
/// # let path = std::env::temp_dir().join(format!("coro-connection-{}", std::process::id()));
/// # let _ = std::fs::remove_file(&path);
/// coro::run(async {
///     let listener = UnixListener::bind(&path)?;
///     net::create_unix_connection(|| Greeter, &path).await?;
///     let (mut stream, _) = listener.accept().await?;
///     let mut greeting = String::new();
///     stream.read_to_string(&mut greeting).await?;
///     assert_eq!(greeting, "hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// # let _ = std::fs::remove_file(&path);
/// ```
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
/// ```
/// use coro::io::AsyncReadExt;
/// use coro::net::{self, Protocol, Transport, UnixStream};
///
/// struct Greeter;
///
/// impl Protocol for Greeter {
///     fn connection_made(&mut self, transport: &Transport) {
///         transport.write(b"hello");
///         transport.close();
///     }
///
///     fn data_received(&mut self, _: &[u8]) {}
/// }
///
/// # let path = std::env::temp_dir().join(format!("coro-server-{}", std::process::id()));
/// # let _ = std::fs::remove_file(&path);
/// coro::run(async {
///     let _server = net::create_unix_server(|| Greeter, &path)?;
///     let mut stream = UnixStream::connect(&path).await?;
///     let mut greeting = String::new();
///     stream.read_to_string(&mut greeting).await?;
///     assert_eq!(greeting, "hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// # let _ = std::fs::remove_file(&path);
/// ```
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
