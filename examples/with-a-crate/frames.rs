//! Frames of bytes by the crate `asynchronous-codec`, over connections of coro.
//!
//! ```text
//! $ cargo run -p coro-examples --example frames
//! sent 5 bytes, received "olleh"
//! sent 0 bytes, received ""
//! sent 1000000 bytes, received 1000000 of them reversed
//! sent too many: frame of 1048577 bytes, which is more than 1048576
//! ```

#[path = "../support/mod.rs"]
mod support;

use std::io;
use std::net::SocketAddr;

use asynchronous_codec::{BytesMut, Decoder, Encoder, Framed};
use coro::net::{TcpStream, start_server};
use coro::yield_from;
use futures::{SinkExt, StreamExt, TryStreamExt};
use support::seconds;

const FRAME_MAX: usize = 1 << 20;
const HEAD: usize = 4;

/// A frame is its length in four bytes, highest byte first, followed by its content.
struct Frames;

impl Encoder for Frames {
    type Item<'a> = Vec<u8>;
    type Error = io::Error;

    fn encode(&mut self, frame: Vec<u8>, into: &mut BytesMut) -> io::Result<()> {
        let len = check(frame.len())?;
        into.extend_from_slice(&len.to_be_bytes());
        into.extend_from_slice(&frame);
        Ok(())
    }
}

impl Decoder for Frames {
    type Item = Vec<u8>;
    type Error = io::Error;

    fn decode(&mut self, received: &mut BytesMut) -> io::Result<Option<Vec<u8>>> {
        let Some(head) = received.first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let len = check(u32::from_be_bytes(*head) as usize)? as usize; // before more is buffered
        if received.len() < HEAD + len {
            return Ok(None);
        }
        let frame = received.split_to(HEAD + len);
        Ok(Some(frame[HEAD..].to_vec()))
    }
}

fn check(len: usize) -> io::Result<u32> {
    match u32::try_from(len) {
        Ok(short) if len <= FRAME_MAX => Ok(short),
        _ => {
            let message = format!("frame of {len} bytes, which is more than {FRAME_MAX}");
            Err(io::Error::new(io::ErrorKind::InvalidData, message))
        }
    }
}

/// Sends every frame back reversed, until the client ends its stream or sends an invalid frame.
#[coro::coroutine]
fn reverse(stream: TcpStream, _peer: SocketAddr) -> io::Result<()> {
    let (back, frames) = Framed::new(stream, Frames).split();
    let reversed = frames.map_ok(|mut frame| {
        frame.reverse();
        frame
    });
    yield_from!(reversed.forward(back))
}

#[coro::main]
fn main() -> io::Result<()> {
    support::check_arguments();
    let server = start_server("127.0.0.1:0", reverse)?;
    let stream = yield_from!(TcpStream::connect(server.local_addr()?))?;
    let mut frames = Framed::new(stream, Frames);

    let large: Vec<u8> = (0..1_000_000).map(|at| (at % 251) as u8).collect();
    for frame in [b"hello".to_vec(), Vec::new(), large] {
        yield_from!(frames.send(frame.clone()))?;
        let received =
            yield_from!(frames.next()).unwrap_or(Err(io::ErrorKind::UnexpectedEof.into()))?;
        match received.len() {
            len if len < 100 => {
                let text = String::from_utf8_lossy(&received);
                println!("sent {} bytes, received {text:?}", frame.len());
            }
            len => {
                assert!(received.iter().rev().eq(&frame));
                println!(
                    "sent {} bytes, received {len} of them reversed",
                    frame.len()
                );
            }
        }
    }
    let refused = yield_from!(frames.send(vec![0; FRAME_MAX + 1]));
    println!("sent too many: {}", refused.expect_err("it is too long"));
    drop(frames);
    yield_from!(server.shutdown(seconds(5.0)));
    Ok(())
}
