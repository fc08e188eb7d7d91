//! Moves data over sockets under injected faults, to check that none of it is lost.
//!
//! ```text
//! $ cargo run --example faults
//! 8 connections, 400 messages each: 3200 messages came back, in order
//! 200 datagrams came back
//! a pipe carried 262144 bytes
//! ```
//!
//! Run alone, it only shows that everything works. `scripts/faults.sh` runs it while system calls
//! fail: interrupted, short of resources, aborted by the peer. The optional argument is a scale
//! such as `-- 0.1` for the amount of data. With `-- serve` a server has clients that may fail, then
//! clients that may not:
//!
//! ```text
//! $ cargo run --example faults -- serve
//! 20 of 20 clients were served afterwards
//! ```

use std::env;
use std::io;
use std::net::SocketAddr;
use std::process;
use std::time::Duration;

#[cfg(unix)]
use coro::net::pipe;
use coro::net::{TcpListener, TcpStream, UdpSocket, start_server};
use coro::{gather, spawn, timeout, yield_from};
use futures::{AsyncReadExt, AsyncWriteExt};

const CONNECTIONS: usize = 8;
const MESSAGES: f64 = 400.0;
const DATAGRAMS: f64 = 200.0;
#[cfg(unix)]
const PIPE_BYTES: f64 = 262_144.0;
/// The clients that come while system calls may fail, and the clients that come afterwards.
const CLIENTS_DURING: usize = 8;
const CLIENTS_AFTER: usize = 20;
/// An operation that takes longer than this has lost its wake-up.
const PATIENCE: Duration = Duration::from_secs(60);

fn scale() -> f64 {
    let argument = env::args().nth(1);
    let scale = argument.map_or(Ok(1.0), |text| text.parse());
    scale
        .ok()
        .filter(|scale| (0.0..=1000.0).contains(scale))
        .unwrap_or_else(|| {
            eprintln!("error: the scale is a number from 0 to 1000");
            process::exit(2)
        })
}

fn count(of: f64) -> usize {
    (of * scale()).ceil() as usize
}

fn lost(what: &str) -> io::Error {
    io::Error::other(format!("{what} was lost"))
}

#[coro::coroutine]
fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 512];
    loop {
        let len = yield_from!(stream.read(&mut buffer))?;
        if len == 0 {
            return Ok(());
        }
        yield_from!(stream.write_all(&buffer[..len]))?;
    }
}

#[coro::coroutine]
fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = yield_from!(listener.accept())?;
        spawn(echo(stream));
    }
}

/// Sends numbered messages and expects each back. Returns how many came back.
#[coro::coroutine]
fn talk(mut stream: TcpStream, number: usize) -> io::Result<usize> {
    for n in 0..count(MESSAGES) {
        let message = format!("{number:4} {n:9}.");
        yield_from!(stream.write_all(message.as_bytes()))?;
        let mut back = vec![0; message.len()];
        yield_from!(stream.read_exact(&mut back))?;
        if back != message.as_bytes() {
            return Err(lost(&message));
        }
    }
    yield_from!(stream.close())?;
    match yield_from!(stream.read(&mut [0]))? {
        0 => Ok(count(MESSAGES)),
        _ => Err(lost("the end")),
    }
}

#[coro::coroutine]
fn connections() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = spawn(serve(listener));
    let client = async |number| talk(TcpStream::connect(address).await?, number).await;
    let clients = (0..CONNECTIONS).map(client).collect::<Vec<_>>();
    let mut messages = 0;
    for talked in yield_from!(gather(clients)) {
        messages += talked?;
    }
    server.cancel();
    let each = count(MESSAGES);
    println!(
        "{CONNECTIONS} connections, {each} messages each: {messages} messages came back, in order"
    );
    Ok(())
}

#[coro::coroutine]
fn datagrams() -> io::Result<()> {
    let (one, other) = (
        UdpSocket::bind("127.0.0.1:0")?,
        UdpSocket::bind("127.0.0.1:0")?,
    );
    one.connect(other.local_addr()?)?;
    let mut buffer = [0; 16];
    for n in 0..count(DATAGRAMS) {
        yield_from!(one.send(&n.to_le_bytes()))?;
        let datagram = yield_from!(other.recv_datagram(&mut buffer))?;
        yield_from!(other.send_to(&buffer[..datagram.len], datagram.from))?;
        let len = yield_from!(one.recv(&mut buffer))?;
        if buffer[..len] != n.to_le_bytes() {
            return Err(lost("a datagram"));
        }
    }
    println!("{} datagrams came back", count(DATAGRAMS));
    Ok(())
}

#[cfg(unix)]
#[coro::coroutine]
fn through_a_pipe() -> io::Result<()> {
    let bytes: Vec<u8> = (0..count(PIPE_BYTES)).map(|n| (n / 3) as u8).collect();
    let (mut reader, mut writer) = pipe()?;
    let mut read = Vec::new();
    let write = async {
        writer.write_all(&bytes).await?;
        writer.close().await
    };
    let (written, len) = yield_from!(gather((write, reader.read_to_end(&mut read))));
    written?;
    len?;
    if read != bytes {
        return Err(lost("a part of what went through the pipe"));
    }
    println!("a pipe carried {} bytes", bytes.len());
    Ok(())
}

/// Sends one message, and expects it back.
#[coro::coroutine]
fn visit(address: SocketAddr) -> io::Result<()> {
    let mut stream = yield_from!(TcpStream::connect(address))?;
    yield_from!(stream.write_all(b"hello"))?;
    let mut back = [0; 5];
    yield_from!(stream.read_exact(&mut back))?;
    match &back {
        b"hello" => Ok(()),
        _ => Err(lost("a message")),
    }
}

/// A server whose first clients may fail serves all that come after them.
#[coro::coroutine]
fn serve_afterwards() -> io::Result<()> {
    let server = start_server("127.0.0.1:0", |stream, _| echo(stream))?;
    let address = server.local_addr()?;
    let failing = (0..CLIENTS_DURING).map(|_| timeout(PATIENCE / 10, visit(address)));
    for visited in yield_from!(gather(failing.collect::<Vec<_>>())) {
        if visited.is_err() {
            return Err(lost("the end of a client that failed"));
        }
    }
    let clients = (0..CLIENTS_AFTER).map(|_| visit(address));
    let mut served = 0;
    for visited in yield_from!(gather(clients.collect::<Vec<_>>())) {
        visited?;
        served += 1;
    }
    println!("{served} of {CLIENTS_AFTER} clients were served afterwards");
    Ok(())
}

#[coro::coroutine]
fn all() -> io::Result<()> {
    if env::args()
        .nth(1)
        .is_some_and(|argument| argument == "serve")
    {
        return yield_from!(serve_afterwards());
    }
    yield_from!(connections())?;
    yield_from!(datagrams())?;
    #[cfg(unix)]
    yield_from!(through_a_pipe())?;
    Ok(())
}

#[coro::main]
fn main() -> io::Result<()> {
    match yield_from!(timeout(PATIENCE, all())) {
        Ok(ended) => ended,
        Err(_) => Err(lost("a wake-up")),
    }
}
