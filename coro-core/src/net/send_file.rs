//! `send_file`: sends a file over a connection.

use std::fs::File;
use std::io::{self, Write};

use super::TcpStream;
use crate::sys::{self, Sock};
use crate::wait::turn::let_others_run;

/// How many bytes are read at a time, if the kernel does not move them itself.
const BUFFER: u64 = 64 * 1024;
/// After this many transfers the other tasks get a turn.
const TRANSFERS_MAX: u32 = 16;

/// Sends the bytes of a file from `offset` on: `len` of them, or all up to the end of the file.
/// Gives how many it has sent, which is fewer than `len` only if the file ends before.
///
/// The counterpart of `loop.sock_sendfile`. On Linux the kernel moves the bytes itself
/// (`sendfile(2)`), if it can for this file; otherwise they are read and written. The file's own
/// position is neither used nor changed.
///
/// `offset` grows with every byte that is sent. So after an error, or if the future was dropped, it
/// shows how much was sent, and may be passed again to continue.
///
/// Reading from a disk blocks the loop, because no system tells in advance whether a file's bytes
/// are in memory. Files that are sent often usually are.
///
/// ```
/// use coro::net::{TcpListener, TcpStream, send_file};
/// use futures::AsyncReadExt;
/// use std::fs::File;
///
/// coro::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0")?;
///     let mut client = TcpStream::connect(listener.local_addr()?).await?;
///     let (stream, _) = listener.accept().await?;
///     let file = File::open("Cargo.toml")?;
///     let mut offset = 1;
///     assert_eq!(send_file(&stream, &file, &mut offset, Some(7)).await?, 7);
///     assert_eq!(offset, 8);
///     let mut received = [0; 7];
///     client.read_exact(&mut received).await?;
///     assert_eq!(&received, b"package");
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// Errors of reading the file, which must support positions, and of writing to the connection.
#[inline]
pub async fn send_file(
    stream: &TcpStream,
    file: &File,
    offset: &mut u64,
    len: Option<u64>,
) -> io::Result<u64> {
    let begin = *offset;
    let end = len.map_or(u64::MAX, |len| begin.saturating_add(len));
    let mut transfers = 0_u32;
    while *offset < end {
        let moving = |io: &Sock<_>| io.send_file(file, *offset, end - *offset);
        match stream.when_writable(moving).await {
            Ok(0) => break,
            Ok(moved) => *offset += moved as u64,
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                read_and_write(stream, file, offset, end).await?;
                break;
            }
            Err(error) => return Err(error),
        }
        transfers += 1;
        if transfers.is_multiple_of(TRANSFERS_MAX) {
            let_others_run().await;
        }
    }
    Ok(*offset - begin)
}

#[inline]
async fn read_and_write(
    stream: &TcpStream,
    file: &File,
    offset: &mut u64,
    end: u64,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER.min(end - *offset) as usize];
    let mut transfers = 0_u32;
    while *offset < end {
        let len = BUFFER.min(end - *offset) as usize;
        let read = sys::read_at(file, &mut buffer[..len], *offset)?;
        if read == 0 {
            break;
        }
        let mut unwritten = &buffer[..read];
        while !unwritten.is_empty() {
            let written = stream.when_writable(|mut io| io.write(unwritten)).await?;
            unwritten = &unwritten[written..];
            *offset += written as u64;
        }
        transfers += 1;
        if transfers.is_multiple_of(TRANSFERS_MAX) {
            let_others_run().await;
        }
    }
    Ok(())
}
