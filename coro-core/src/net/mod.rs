//! Sockets, pipes, other descriptors.

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
#[cfg(unix)]
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
pub use lines::{ReadError, StreamReader};
#[cfg(unix)]
pub use pipe::{PipeReader, PipeWriter, pipe};
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
#[cfg(unix)]
pub use unix_rights::{PeerCredentials, WithDescriptors};
#[cfg(unix)]
pub use unix_stream::UnixStream;
