//! Callbacks instead of waiting: a protocol is told what its transport receives.

mod connection;
mod driver;
mod handle;
mod outgoing;
mod protocol;
mod server;
mod tcp;

pub use handle::Transport;
pub use protocol::{Buffered, BufferedProtocol, Protocol};
pub use server::{ProtocolServer, create_server, create_server_on};
pub use tcp::{connect_accepted_socket, create_connection};
