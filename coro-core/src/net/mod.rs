//! Sockets.

mod tcp_listener;
mod tcp_stream;
#[cfg(feature = "tls")]
pub mod tls;

pub use tcp_listener::TcpListener;
pub use tcp_stream::TcpStream;
