//! Reading, writing and streaming: the traits and helpers of the crate `futures` that programs need,
//! so that `coro` alone is enough in a manifest.
//!
//! The sockets, pipes and standard streams of [`net`](crate::net) and of `process` implement the
//! traits `AsyncRead` and `AsyncWrite` of `futures`. Methods such as `write_all` and `read_line` come
//! from the extension traits, which have to be imported:
//!
//! ```
//! use coro::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
//! use coro::net::{TcpStream, open_connection, start_server};
//!
//! #[coro::main]
//! async fn main() -> std::io::Result<()> {
//!     let server = start_server("localhost:0", async |mut stream: TcpStream, _peer| {
//!         stream.write_all(b"hello\n").await
//!     })?;
//!     let stream = open_connection("localhost", server.local_addr()?.port()).await?;
//!     let mut line = String::new();
//!     BufReader::new(stream).read_line(&mut line).await?;
//!     assert_eq!(line, "hello\n");
//!     Ok(())
//! }
//! ```
//!
//! An async generator, an [`interval`](fn@crate::interval) or an `incoming` is a [`Stream`]: `next`,
//! `map` and `take` are methods of [`StreamExt`].
//!
//! They are the same items as in `futures`, so that both can be used in one program.
//! [`duplex`], [`net::copy`](crate::net::copy) and [`net::StreamReader`](crate::net::StreamReader) are
//! coro's own: a connection in memory, a copy of descriptors, and frames that survive a dropped read.

pub use coro_core::io::{DuplexStream, duplex};

pub use futures::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite,
    AsyncWriteExt, BufReader, BufWriter, Cursor,
};
pub use futures::sink::{Sink, SinkExt};
pub use futures::stream::{FusedStream, Stream, StreamExt, TryStreamExt};
