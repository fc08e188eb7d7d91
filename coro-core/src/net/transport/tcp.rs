//! Transports over TCP, for a new connection or for a connected stream.

use std::io;

use super::adopt::adopt;
use super::{Protocol, Transport};
use crate::net::{TcpStream, ToSocketAddrs};

/// Connects to a host by its name, or to an address, and makes a transport with a protocol that
/// `factory` makes. The counterpart of `loop.create_connection`.
///
/// The target is `("host", port)`, `"host:port"`, an address or a list of addresses. A name is
/// resolved, and its addresses are tried, as by [`open_connection`](crate::net::open_connection):
/// IPv6 and IPv4 in turn, the next one 250 ms after the last (RFC 8305).
///
/// `factory` is called once the connection is made, and not if that fails; the protocol's
/// `connection_made` has been called when this is done. Small writes are sent at once
/// (`TCP_NODELAY`). To set options before, connect a stream by
/// [`ConnectOptions`](crate::net::ConnectOptions) and use [`connect_accepted_socket`]. Dropping the
/// future ends the connection.
///
/// ```
/// use coro::net::{self, Protocol, Transport};
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
/// coro::run(async {
///     use futures::AsyncReadExt;
///     let listener = net::TcpListener::bind("127.0.0.1:0")?;
///     let port = listener.local_addr()?.port();
///     net::create_connection(|| Greeter, ("localhost", port)).await?;
///     let (mut stream, _) = listener.accept().await?;
///     let mut greeting = String::new();
///     stream.read_to_string(&mut greeting).await?;
///     assert_eq!(greeting, "hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// As for [`TcpStream::connect`].
///
/// # Panics
///
/// When polled outside of a loop, and if `factory` does.
pub async fn create_connection<P: Protocol>(
    factory: impl FnOnce() -> P,
    to: impl ToSocketAddrs,
) -> io::Result<Transport> {
    connect_accepted_socket(factory, TcpStream::connect(to).await?).await
}

/// Makes a transport of a connected stream, whichever end connected it. The
/// counterpart of `loop.connect_accepted_socket`, and of `create_connection` with a socket.
///
/// Apart from that it is [`create_connection`]. The protocol does not receive bytes that were read
/// from the stream before.
///
/// ```
/// use coro::net::{self, Protocol, Transport};
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
/// coro::run(async {
///     use coro::io::AsyncReadExt;
///     let listener = net::TcpListener::bind("127.0.0.1:0")?;
///     let mut client = net::TcpStream::connect(listener.local_addr()?).await?;
///     let (accepted, _) = listener.accept().await?;
///     net::connect_accepted_socket(|| Greeter, accepted).await?;
///     let mut greeting = String::new();
///     client.read_to_string(&mut greeting).await?;
///     assert_eq!(greeting, "hello");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// If the system refuses to set `TCP_NODELAY`.
///
/// # Panics
///
/// When polled outside of a loop, and if `factory` does.
pub async fn connect_accepted_socket<P: Protocol>(
    factory: impl FnOnce() -> P,
    stream: TcpStream,
) -> io::Result<Transport> {
    stream.set_nodelay(true)?;
    let peer = stream.peer_addr().ok();
    Ok(adopt(factory, stream, peer).await)
}
