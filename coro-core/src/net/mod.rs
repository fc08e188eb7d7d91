//! Sockets, pipes, other descriptors.
//!
//! The streams implement the traits `AsyncRead` and `AsyncWrite` of `futures`, so other code for those
//! traits works with them. The methods, such as `read_to_end` and `write_all`, come from extension
//! traits, which have to be imported from `coro::io`. A shared reference to a stream reads and writes
//! too: `&stream` lets one task read while another writes.
//!
//! A client, by [`open_connection`], which takes a name and a port:
//!
//! ```
//! use std::io;
//!
//! use coro::io::{AsyncReadExt, AsyncWriteExt};
//! use coro::net::open_connection;
//!
//! async fn ask(host: &str, port: u16) -> io::Result<String> {
//!     let mut stream = open_connection(host, port).await?;
//!     stream.write_all(b"hello").await?;
//!     stream.close().await?; // ends this direction: the answer can still be read
//!     let mut answer = String::new();
//!     stream.read_to_string(&mut answer).await?;
//!     Ok(answer)
//! }
//! # use coro::net::{TcpStream, start_server};
//! # coro::run(async {
//! #     let server = start_server("127.0.0.1:0", async |stream: TcpStream, _| {
//! #         coro::net::copy(&stream, &stream).await.map(drop)
//! #     })?;
//! #     assert_eq!(ask("127.0.0.1", server.local_addr()?.port()).await?, "hello");
//! #     io::Result::Ok(())
//! # }).unwrap();
//! ```
//!
//! A server, by [`start_server`], with state that its connections share; [`Server::shutdown`] lets them
//! finish, within a time:
//!
//! ```
//! use std::cell::RefCell;
//! use std::collections::HashMap;
//! use std::io;
//! use std::rc::Rc;
//! use std::time::Duration;
//!
//! use coro::io::AsyncWriteExt;
//! use coro::net::{StreamReader, TcpStream, start_server};
//!
//! async fn serve(stop: impl Future<Output = ()>) -> io::Result<()> {
//!     let counts = Rc::new(RefCell::new(HashMap::<String, u32>::new()));
//!     let server = start_server("127.0.0.1:0", async move |stream: TcpStream, _peer| {
//!         let mut lines = StreamReader::new(&stream);
//!         while let Some(line) = lines.read_line().await? {
//!             let count = {
//!                 let mut counts = counts.borrow_mut();
//!                 let count = counts.entry(line.to_owned()).or_default();
//!                 *count += 1;
//!                 *count
//!             };
//!             (&stream).write_all(format!("{count}\n").as_bytes()).await?;
//!         }
//!         io::Result::Ok(())
//!     })?;
//!     stop.await;
//!     server.shutdown(Duration::from_secs(5)).await;
//!     Ok(())
//! }
//! # coro::run(serve(async {})).unwrap();
//! ```
//!
//! | purpose | type or function |
//! |---|---|
//! | a connection; with options set beforehand | [`open_connection`], [`TcpStream::connect`]; [`ConnectOptions`] |
//! | a server; its listener alone | [`start_server`], [`Server::builder`]; [`TcpListener`] |
//! | lines and frames; copying | [`StreamReader`]; [`copy()`], [`copy_bidirectional`], [`send_file`] |
//! | one task that reads while another writes | `&stream` for each, or [`TcpStream::into_split`] |
//! | a connection within the machine | `UnixStream`, `UnixListener`, `start_unix_server` |
//! | datagrams | [`UdpSocket`], `UnixDatagram` |
//! | a pipe; the standard streams | `pipe`; `stdin`, `stdout`, `stderr` |
//! | callbacks instead of tasks | [`Protocol`], [`create_connection`], [`create_server`], [`DatagramProtocol`] |
//! | addresses of a name | [`lookup_host`] |
//! | TLS, with the feature `tls` | `tls` |
//! | a socket of the standard library, or of `socket2` | `from_std`, and `into_std` back |
//! | an option that has no method | `socket2::SockRef::from(&stream)` |
//! | a descriptor of your own | `AsyncFd`, or [`LoopHandle::add_reader`](crate::event_loop::LoopHandle) for a callback |
//!
//! On Windows there are TCP, UDP, names, TLS and callbacks. Unix sockets, pipes, standard streams and
//! descriptors of your own are for Unix; credentials of the peer, abstract names and `bind_device` for
//! Linux.
//!
//! Streams have no buffers: a dropped read has taken no bytes, and a slow reader delays its writer
//! instead of filling memory. A fault of a peer is an [`io::Error`](std::io::Error) of the operation that
//! met it.

#[cfg(unix)]
mod async_fd;
mod close;
mod close_on_drop;
mod connect;
mod copy;
mod datagram;
#[cfg(unix)]
pub(crate) mod fd_watch;
mod halves;
mod hops;
mod keepalive;
mod lines;
mod listen;
mod macros;
mod pause;
#[cfg(unix)]
mod pipe;
mod read_error;
mod resolve;
mod send_file;
mod server;
#[cfg(unix)]
mod stdio;
mod target;
mod tcp_listener;
mod tcp_stream;
#[cfg(feature = "tls")]
pub mod tls;
mod transport;
mod udp_polls;
mod udp_socket;
#[cfg(unix)]
mod unix_datagram;
#[cfg(unix)]
mod unix_listener;
#[cfg(all(unix, feature = "ancillary"))]
mod unix_rights;
#[cfg(unix)]
mod unix_stream;

pub use crate::event_loop::Direction as Interest;
#[cfg(unix)]
pub use async_fd::AsyncFd;
pub use close::close_in_order;
pub use connect::{ConnectError, ConnectOptions, happy_eyeballs, open_connection};
pub use copy::{copy, copy_bidirectional};
pub use datagram::Datagram;
pub use halves::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, Split, WriteHalf};
pub use keepalive::Keepalive;
pub use lines::StreamReader;
#[cfg(unix)]
pub use pipe::{PipeReader, PipeWriter, pipe};
pub use read_error::ReadError;
pub use resolve::lookup_host;
pub use send_file::send_file;
#[cfg(unix)]
pub use server::start_unix_server;
pub use server::{HandlerOutput, Server, ServerBuilder, is_hang_up, start_server};
#[cfg(unix)]
pub use stdio::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
pub use target::ToSocketAddrs;
pub use tcp_listener::TcpListener;
pub use tcp_stream::TcpStream;
pub use transport::{
    Buffered, BufferedProtocol, DatagramProtocol, DatagramTransport, Protocol, ProtocolServer,
    StreamWriter, Transport, TransportReader, connect_accepted_socket, create_connection,
    create_datagram_endpoint, create_server, create_server_on, open_streams, streams,
};
#[cfg(unix)]
pub use transport::{
    connect_read_pipe, connect_write_pipe, create_unix_connection, create_unix_server,
};
pub use udp_socket::UdpSocket;
#[cfg(unix)]
pub use unix_datagram::UnixDatagram;
#[cfg(unix)]
pub use unix_listener::UnixListener;
#[cfg(all(unix, feature = "ancillary"))]
#[cfg_attr(docsrs, doc(cfg(feature = "ancillary")))]
pub use unix_rights::{PeerCredentials, WithDescriptors};
#[cfg(unix)]
pub use unix_stream::UnixStream;
