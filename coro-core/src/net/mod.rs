//! Sockets.

mod tcp_listener;
mod tcp_stream;
mod transport;

pub use tcp_listener::TcpListener;
pub use tcp_stream::TcpStream;
pub use transport::{
    Buffered, BufferedProtocol, Protocol, ProtocolServer, Transport, connect_accepted_socket,
    create_connection, create_server, create_server_on,
};
