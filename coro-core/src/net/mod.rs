//! Sockets.

mod connect;
mod resolve;
mod server;
mod target;
mod tcp_listener;
mod tcp_stream;

pub use connect::{ConnectError, ConnectOptions, happy_eyeballs, open_connection};
pub use resolve::lookup_host;
pub use server::{HandlerOutput, Server, ServerBuilder, start_server};
pub use target::ToSocketAddrs;
pub use tcp_listener::TcpListener;
pub use tcp_stream::TcpStream;
