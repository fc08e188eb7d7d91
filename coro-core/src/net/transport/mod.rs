//! Callbacks instead of waiting: a transport calls its protocol with the bytes that it receives.

mod adopt;
mod connection;
mod datagram;
mod handle;
mod layers;
#[cfg(unix)]
mod pipe;
#[cfg(feature = "tls")]
mod plain_stream;
mod protocol;
mod server;
#[cfg(feature = "tls")]
mod start_tls;
mod stream;
mod streams;
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
pub use streams::{StreamWriter, TransportReader, open_streams, streams};
pub use tcp::{connect_accepted_socket, create_connection};
#[cfg(unix)]
pub use unix::{create_unix_connection, create_unix_server};
