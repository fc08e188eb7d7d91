//! The rules that all transports share which call a protocol back.
//!
//! Connections, datagram endpoints and subprocesses are such transports. Each implements
//! [`CallbackTransport`], and runs as a task whose future is a [`Driver`].

mod driver;
mod last_call;
mod life;
mod outgoing;
mod protocol_cell;
mod transport;
mod write_limits;

pub(crate) use driver::Driver;
pub(crate) use life::Life;
pub(crate) use outgoing::Outgoing;
pub(crate) use protocol_cell::{Callbacks, ProtocolCell, callbacks_of};
pub(crate) use transport::CallbackTransport;
pub(crate) use write_limits::WriteLimits;
