//! Streams of bytes that need no system: `duplex`.

mod duplex;

pub(crate) use duplex::lockstep;
pub use duplex::{DuplexStream, duplex};
