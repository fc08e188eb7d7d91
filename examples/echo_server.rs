//! A TCP server that sends back what it receives, to many clients at once.
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
//! Talk to it with `nc 127.0.0.1 40123`, or whatever port it says. With a scale such as `-- 0.1`
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

/// The server's books. Everything runs on one thread, so plain cells will do.
#[derive(Default)]
struct Server {
    clients: Cell<u64>,
    bytes: Cell<u64>,
    /// The tasks of those who are connected, by their numbers.
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

/// The whole life of a connection; what goes wrong in it is said here, and harms nobody else.
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

/// Cancelling a task drops what it holds, and so closes its connection.
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
    // The first to end wins, and the others are dropped. Ctrl-C stands first, so that it is
    // waited for before anybody learns of the address.
    let stopped = race((interrupt(), deadline(), accept_all(&server, &listener)));
    println!("stopped by {}", yield_from!(stopped)?);
    drop(listener);
    yield_from!(close_all(server.connected.take()));
    let (clients, bytes) = (server.clients.get(), server.bytes.get());
    println!("served {clients} clients, echoed {bytes} bytes");
    Ok(())
}
