//! Sockets, pipes, and whatever else has a descriptor.

#[cfg(unix)]
mod async_fd;
mod halves;
mod macros;
mod tcp_listener;
mod tcp_options;
mod tcp_socket;
mod tcp_stream;
#[cfg(feature = "tls")]
pub mod tls;

pub use crate::event_loop::Direction as Interest;
#[cfg(unix)]
pub use async_fd::AsyncFd;
pub use halves::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, Split, WriteHalf};
pub use tcp_listener::TcpListener;
pub use tcp_options::Keepalive;
pub use tcp_socket::TcpSocket;
pub use tcp_stream::TcpStream;
