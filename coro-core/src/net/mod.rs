//! Sockets, pipes, and whatever else has a descriptor.

#[cfg(unix)]
mod async_fd;
mod datagram;
mod halves;
mod macros;
mod pause;
#[cfg(unix)]
mod pipe;
#[cfg(unix)]
mod stdio;
mod tcp_listener;
mod tcp_options;
mod tcp_socket;
mod tcp_stream;
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
pub use datagram::Datagram;
pub use halves::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, Split, WriteHalf};
#[cfg(unix)]
pub use pipe::{PipeReader, PipeWriter, pipe};
#[cfg(unix)]
pub use stdio::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
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
