//! Transports over TCP, for a new connection or for a connected stream.

use std::io;
use std::net::SocketAddr;

use super::adopt::adopt;
use super::{Protocol, Transport};
use crate::net::TcpStream;

/// Connects to an address, and makes a transport with a protocol that `factory` makes. The
/// counterpart of `loop.create_connection`.
///
/// `factory` is called once the connection is made; the protocol's `connection_made` has been
/// called when this is done. Small writes are sent at once (`TCP_NODELAY`). To reach a name rather
/// than an address, or to set options before, connect a stream and use [`connect_accepted_socket`].
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
///     net::create_connection(|| Greeter, listener.local_addr()?).await?;
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
    address: impl Into<SocketAddr>,
) -> io::Result<Transport> {
    let address = address.into();
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(adopt(factory, stream, Some(address)).await)
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
