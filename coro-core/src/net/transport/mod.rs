//! Callbacks instead of waiting: a protocol is told what its transport receives.

mod adopt;
mod connection;
mod datagram;
mod driver;
mod handle;
mod lingering;
mod outgoing;
#[cfg(unix)]
mod pipe;
#[cfg(feature = "tls")]
mod plain_stream;
mod protocol;
mod protocol_cell;
mod server;
#[cfg(feature = "tls")]
mod start_tls;
mod tcp;
#[cfg(unix)]
mod unix;

pub use datagram::{DatagramProtocol, DatagramTransport, create_datagram_endpoint};
pub use handle::Transport;
#[cfg(unix)]
pub use pipe::{connect_read_pipe, connect_write_pipe};
#[cfg(feature = "tls")]
pub use plain_stream::PlainStream;
pub use protocol::{Buffered, BufferedProtocol, Protocol};
pub use server::{ProtocolServer, create_server, create_server_on};
pub use tcp::{connect_accepted_socket, create_connection};
#[cfg(unix)]
pub use unix::{create_unix_connection, create_unix_server};
