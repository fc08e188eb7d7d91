//! A TCP server that sends back the bytes it receives, to many clients at once.
//!
//! ```text
//! $ cargo run --example echo_server
//! listening on 127.0.0.1:40123 for 60 seconds, or until Ctrl-C
//! client 1 connected
//! client 2 connected
//! client 1 left: 6 bytes
//! ^Cstopped by Ctrl-C
//! client 2 was still connected: closed
//! served 2 clients, echoed 11 bytes
//! ```
//!
//! Connect with `nc 127.0.0.1 40123`, using the port that it prints. With a scale such as `-- 0.1`
//! after the command it stops after 6 seconds.

mod support;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use coro::net::{TcpListener, TcpStream};
use coro::{Task, race, signal, sleep, spawn, yield_from};
use futures::{AsyncReadExt, AsyncWriteExt};
use support::seconds;

const SECONDS: f64 = 60.0;

/// The server's counters. Everything runs on one thread, so plain cells are enough.
#[derive(Default)]
struct Server {
    clients: Cell<u64>,
    bytes: Cell<u64>,
    /// The tasks of the connected clients, by client number.
    connected: RefCell<BTreeMap<u64, Task<()>>>,
}

/// Accepts clients, each into a task of its own. Ends only if the listener fails.
#[coro::coroutine]
fn accept_all(server: &Rc<Server>, listener: &TcpListener) -> io::Result<&'static str> {
    println!(
        "listening on {} for {} seconds, or until Ctrl-C",
        listener.local_addr()?,
        seconds(SECONDS).as_secs_f64()
    );
    loop {
        let (stream, _) = yield_from!(listener.accept())?;
        let number = server.clients.get() + 1;
        server.clients.set(number);
        println!("client {number} connected");

        let task = spawn(serve(server.clone(), number, stream));
        let books = server.clone();
        task.add_done_callback(move |_| {
            let finished = books.connected.borrow_mut().remove(&number);
            drop(finished);
        });
        server.connected.borrow_mut().insert(number, task);
    }
}

/// Serves one connection. Reports its error here, so that other connections go on.
#[coro::coroutine]
fn serve(server: Rc<Server>, number: u64, stream: TcpStream) {
    let mut echoed = 0;
    let outcome = yield_from!(echo(&server, stream, &mut echoed));
    match outcome {
        Ok(()) => println!("client {number} left: {echoed} bytes"),
        Err(error) => println!("client {number} is lost after {echoed} bytes: {error}"),
    }
}

#[coro::coroutine]
fn echo(server: &Server, mut stream: TcpStream, echoed: &mut u64) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let received = yield_from!(stream.read(&mut buffer))?;
        if received == 0 {
            return Ok(());
        }
        yield_from!(stream.write_all(&buffer[..received]))?;
        *echoed += received as u64;
        server.bytes.set(server.bytes.get() + received as u64);
    }
}

#[coro::coroutine]
fn interrupt() -> io::Result<&'static str> {
    yield_from!(signal::ctrl_c())?;
    Ok("Ctrl-C")
}

#[coro::coroutine]
fn deadline() -> io::Result<&'static str> {
    yield_from!(sleep(seconds(SECONDS)));
    Ok("the deadline")
}

/// Cancels the tasks. A cancelled task drops its stream, which closes the connection.
#[coro::coroutine]
fn close_all(connected: BTreeMap<u64, Task<()>>) {
    for task in connected.values() {
        task.cancel();
    }
    for (number, task) in connected {
        if yield_from!(task).is_err_and(|error| error.is_cancelled()) {
            println!("client {number} was still connected: closed");
        }
    }
}

#[coro::main]
fn main() -> io::Result<()> {
    support::check_arguments();
    let server = Rc::new(Server::default());
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // The first to end wins, and the others are dropped. `interrupt` comes first in the race, so
    // that Ctrl-C is already handled when the address is printed.
    let stopped = race((interrupt(), deadline(), accept_all(&server, &listener)));
    println!("stopped by {}", yield_from!(stopped)?);
    drop(listener);
    yield_from!(close_all(server.connected.take()));
    let (clients, bytes) = (server.clients.get(), server.bytes.get());
    println!("served {clients} clients, echoed {bytes} bytes");
    Ok(())
}
