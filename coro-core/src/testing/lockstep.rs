//! A connection in memory that has no buffer: `lockstep_pair`.

use crate::io::{DuplexStream, lockstep};

/// A pair of connected streams in memory without a buffer: bytes pass only while the other end waits
/// for them.
///
/// A write waits until the other end reads, and then passes at most as many bytes as that read has
/// room for. So it is the hardest stream for a protocol: a program that writes before the other end
/// reads, and expects to go on, waits for ever, which a simulation reports as a deadlock. The
/// counterpart of Trio's `lockstep_stream_pair`.
///
/// ```
/// use coro::testing::lockstep_pair;
/// use coro::io::{AsyncReadExt, AsyncWriteExt};
///
/// #[coro::test]
/// async fn a_write_waits_for_its_reader() -> std::io::Result<()> {
///     let (mut here, mut there) = lockstep_pair();
///     let write = async { here.write(b"hello").await.unwrap() };
///     let read = async {
///         let mut buffer = [0; 2];
///         there.read(&mut buffer).await.unwrap()
///     };
///     assert_eq!(coro::gather((write, read)).await, (2, 2));
///     Ok(())
/// }
/// ```
pub fn lockstep_pair() -> (DuplexStream, DuplexStream) {
    lockstep()
}
