//! A small key-value server that speaks RESP, so that stock Redis clients can talk to it.
//!
//! ```text
//! $ cargo run --example kv
//! PING                        +PONG
//! SET language Rust           +OK
//! GET language                $4 Rust
//! GET nothing                 $-1
//! INCR language               -ERR value is not an integer or out of range
//! DEL language nothing        :1
//! 3 clients pipelined 1000 INCRs each
//! GET counter                 $4 3000
//! FLY me to the moon          -ERR unknown command 'FLY'
//! *1 $-5                      -ERR Protocol error: invalid bulk length
//! 5 connections served
//! ```
//!
//! This is a demonstration, in which the program is its own client. With an address it serves until
//! Ctrl-C:
//!
//! ```text
//! $ cargo run --example kv -- serve 127.0.0.1:6379
//! listening on 127.0.0.1:6379, until Ctrl-C
//! $ redis-cli incr visitors
//! (integer) 1
//! ```

mod resp;
#[path = "../support/service.rs"]
mod service;
mod store;
#[path = "../support/mod.rs"]
mod support;

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use coro::net::{Server, StreamReader, TcpStream, open_connection};
use coro::{gather, signal, yield_from};
use futures::{AsyncReadExt, AsyncWriteExt};
use store::Store;
use support::seconds;

const CONNECTIONS_MAX: usize = 1000;
/// Answers are sent at the latest when they have this number of bytes.
const ANSWERS: usize = 64 * 1024;

fn start(addresses: &str, served: Rc<Cell<u32>>) -> io::Result<Server> {
    let store = Rc::<Store>::default();
    let builder = Server::builder().max_connections(CONNECTIONS_MAX);
    builder.start(addresses, move |stream, _| {
        served.set(served.get() + 1);
        serve(store.clone(), stream)
    })
}

/// Serves one connection. Answers are sent when no further complete command has been received, so a
/// client may send any number of commands before it reads.
#[coro::coroutine]
fn serve(store: Rc<Store>, mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut received, mut answers) = (Vec::new(), Vec::new());
    let mut chunk = vec![0; 16 * 1024];
    loop {
        let is_over = answer(&store, &mut received, &mut answers);
        if !answers.is_empty() {
            yield_from!(stream.write_all(&answers))?;
            answers.clear();
        }
        match is_over {
            Some(true) => return Ok(()),
            Some(false) => continue, // there are more commands to answer
            None => {}
        }
        match yield_from!(stream.read(&mut chunk)) {
            Ok(0) => return Ok(()),
            Ok(read) => received.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Answers the commands that were received completely, until the answers reach `ANSWERS` bytes.
/// Returns whether the connection is over then; `None` if no complete command remains.
fn answer(store: &Store, received: &mut Vec<u8>, answers: &mut Vec<u8>) -> Option<bool> {
    let mut done = 0;
    let is_over = loop {
        if answers.len() >= ANSWERS {
            break Some(false);
        }
        match resp::parse(&received[done..]) {
            Ok(None) => break None,
            Ok(Some((command, len))) => {
                done += len;
                if command.is_empty() {
                    continue;
                }
                store.run(&command).write(answers);
                if command[0].eq_ignore_ascii_case(b"QUIT") {
                    break Some(true);
                }
            }
            Err(error) => {
                resp::Reply::Error(format!("ERR {error}")).write(answers);
                break Some(true); // the start of the next command is unknown
            }
        }
    };
    received.drain(..done);
    is_over
}

// ---- the demonstration ----

#[coro::coroutine]
fn connect(address: SocketAddr) -> io::Result<StreamReader<TcpStream>> {
    let stream = yield_from!(open_connection(address.ip().to_string(), address.port()))?;
    Ok(StreamReader::new(stream))
}

/// Sends an inline command, then prints it with its answer.
#[coro::coroutine]
fn ask(client: &mut StreamReader<TcpStream>, command: &str) -> io::Result<()> {
    yield_from!(client.get_mut().write_all(command.as_bytes()))?;
    yield_from!(client.get_mut().write_all(b"\r\n"))?;
    let mut answer = yield_from!(client.read_line())?
        .unwrap_or_default()
        .to_owned();
    if answer.starts_with('$') && answer != "$-1" {
        let value = yield_from!(client.read_line())?.unwrap_or_default();
        answer = format!("{answer} {value}");
    }
    println!("{:<27} {answer}", command.replace("\r\n", " "));
    Ok(())
}

/// Sends many commands at once before it reads any answer.
#[coro::coroutine]
fn count(address: SocketAddr, times: usize) -> io::Result<()> {
    let mut client = yield_from!(connect(address))?;
    let commands = b"*2\r\n$4\r\nINCR\r\n$7\r\ncounter\r\n".repeat(times);
    yield_from!(client.get_mut().write_all(&commands))?;
    for _ in 0..times {
        yield_from!(client.read_line())?;
    }
    Ok(())
}

#[coro::coroutine]
fn demonstrate() -> io::Result<()> {
    let served = Rc::<Cell<u32>>::default();
    let server = start("127.0.0.1:0", served.clone())?;
    let address = server.local_addr()?;
    let mut client = yield_from!(connect(address))?;
    for command in [
        "PING",
        "SET language Rust",
        "GET language",
        "GET nothing",
        "INCR language",
        "DEL language nothing",
    ] {
        yield_from!(ask(&mut client, command))?;
    }
    for counted in yield_from!(gather([1000; 3].map(|times| count(address, times)))) {
        counted?;
    }
    println!("3 clients pipelined 1000 INCRs each");
    yield_from!(ask(&mut client, "GET counter"))?;
    yield_from!(ask(&mut client, "FLY me to the moon"))?;
    let mut other = yield_from!(connect(address))?;
    yield_from!(ask(&mut other, "*1\r\n$-5"))?;
    drop((client, other));
    yield_from!(server.shutdown(seconds(5.0)));
    println!("{} connections served", served.get());
    Ok(())
}

#[coro::coroutine]
fn serve_at(address: &str) -> io::Result<()> {
    let stop = signal::ctrl_c();
    let server = start(address, Rc::default())?;
    println!("listening on {}, until Ctrl-C", server.local_addr()?);
    yield_from!(stop)?;
    let cut = yield_from!(server.shutdown(std::time::Duration::from_millis(100)));
    println!("stopped by Ctrl-C: {cut} connections cut");
    Ok(())
}

#[coro::main]
fn main() -> io::Result<()> {
    match service::addresses("the address to listen on") {
        Some([address]) => yield_from!(serve_at(&address)),
        None => yield_from!(demonstrate()),
    }
}
