//! Sockets.

mod connect;
mod copy;
mod lines;
mod resolve;
mod send_file;
mod server;
mod target;
mod tcp_listener;
mod tcp_stream;

pub use connect::{ConnectError, ConnectOptions, happy_eyeballs, open_connection};
pub use copy::{copy, copy_bidirectional};
pub use lines::{ReadError, StreamReader};
pub use resolve::lookup_host;
pub use send_file::send_file;
pub use server::{HandlerOutput, Server, ServerBuilder, start_server};
pub use target::ToSocketAddrs;
pub use tcp_listener::TcpListener;
pub use tcp_stream::TcpStream;
