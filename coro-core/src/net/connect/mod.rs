//! Connecting to a host by its name.

mod attempts;
mod error;
mod options;

pub use attempts::happy_eyeballs;
pub use error::ConnectError;
pub use options::{ConnectOptions, open_connection};
