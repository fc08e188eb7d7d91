//! Streams of bytes that need no system: `duplex`.

mod duplex;

pub use duplex::{DuplexStream, duplex};
