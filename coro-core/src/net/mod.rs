//! Sockets, pipes, and whatever else has a descriptor.

#[cfg(unix)]
mod async_fd;
mod connect;
mod copy;
mod datagram;
mod halves;
mod lines;
mod macros;
mod pause;
mod resolve;
mod send_file;
mod server;
mod target;
mod tcp_listener;
mod tcp_options;
mod tcp_socket;
mod tcp_stream;
#[cfg(feature = "tls")]
pub mod tls;
mod udp_socket;
#[cfg(unix)]
mod unix_datagram;
#[cfg(unix)]
mod unix_listener;
#[cfg(unix)]
mod unix_rights;
#[cfg(unix)]
mod unix_stream;

pub use crate::event_loop::Direction as Interest;
#[cfg(unix)]
pub use async_fd::AsyncFd;
pub use connect::{ConnectError, ConnectOptions, happy_eyeballs, open_connection};
pub use copy::{copy, copy_bidirectional};
pub use datagram::Datagram;
pub use halves::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, Split, WriteHalf};
pub use lines::{ReadError, StreamReader};
pub use resolve::lookup_host;
pub use send_file::send_file;
pub use server::{HandlerOutput, Server, ServerBuilder, start_server};
pub use target::ToSocketAddrs;
pub use tcp_listener::TcpListener;
pub use tcp_options::Keepalive;
pub use tcp_socket::TcpSocket;
pub use tcp_stream::TcpStream;
pub use udp_socket::UdpSocket;
#[cfg(unix)]
pub use unix_datagram::UnixDatagram;
#[cfg(unix)]
pub use unix_listener::UnixListener;
#[cfg(unix)]
pub use unix_rights::{PeerCredentials, WithDescriptors};
#[cfg(unix)]
pub use unix_stream::UnixStream;
