//! A proxy for TCP: it forwards connections to another server, in both directions.
//!
//! ```text
//! $ cargo run --example tcp_proxy
//! the client sends "hello" through the proxy, says that this is all, and waits
//! the server has read to the end: "hello"
//! the client reads "olleh", after it had ended its own direction
//! the proxy sent 5 bytes on, and 5 bytes back
//! ```
//!
//! This is a demonstration, in which the program is its own client. With two addresses it serves
//! until Ctrl-C. Open connections then have five seconds to finish:
//!
//! ```text
//! $ cargo run --example tcp_proxy -- serve 127.0.0.1:8080 example.org:80
//! listening on 127.0.0.1:8080 for example.org:80, until Ctrl-C
//! 127.0.0.1:40312 has come
//! 127.0.0.1:40312 has gone: 77 bytes sent, 1591 received
//! ```

#[path = "support/service.rs"]
mod service;
mod support;

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use coro::net::{Server, TcpStream, copy_bidirectional, open_connection, start_server};
use coro::{signal, timeout, yield_from};
use futures::{AsyncReadExt, AsyncWriteExt};
use support::seconds;

/// How long to wait for the other server.
const PATIENCE: Duration = Duration::from_secs(10);

/// Forwards one connection. The end of one direction is passed on, while the other direction goes
/// on.
#[coro::coroutine]
fn forward(client: TcpStream, target: &str) -> io::Result<(u64, u64)> {
    let server = yield_from!(timeout(PATIENCE, TcpStream::connect(target)))??;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    yield_from!(copy_bidirectional(&client, &server))
}

#[coro::coroutine]
fn tell(client: TcpStream, peer: SocketAddr, target: Rc<str>) {
    println!("{peer} has come");
    match yield_from!(forward(client, &target)) {
        Ok((sent, received)) => {
            println!("{peer} has gone: {sent} bytes sent, {received} received");
        }
        Err(error) => println!("{peer} is lost: {error}"),
    }
}

#[coro::coroutine]
fn serve_at(address: &str, target: Rc<str>) -> io::Result<()> {
    let stop = signal::ctrl_c();
    let to = target.clone();
    let proxy = start_server(address, move |client, peer| tell(client, peer, to.clone()))?;
    let address = proxy.local_addr()?;
    println!("listening on {address} for {target}, until Ctrl-C");
    yield_from!(stop)?;
    println!("stopping: {} connected", proxy.connections());
    let cut = yield_from!(proxy.shutdown(Duration::from_secs(5)));
    println!("stopped by Ctrl-C: {cut} connections cut");
    Ok(())
}

// ---- the demonstration ----

/// Answers only after it has read to the end of the stream.
#[coro::coroutine]
fn reverse(mut stream: TcpStream, _peer: SocketAddr) -> io::Result<()> {
    let mut text = String::new();
    yield_from!(stream.read_to_string(&mut text))?;
    println!("the server has read to the end: {text:?}");
    let reversed: String = text.chars().rev().collect();
    yield_from!(stream.write_all(reversed.as_bytes()))
}

fn start_proxy(target: String, counted: Rc<Cell<(u64, u64)>>) -> io::Result<Server> {
    let target = Rc::<str>::from(target);
    start_server("127.0.0.1:0", move |client, _| {
        let (target, counted) = (target.clone(), counted.clone());
        async move {
            counted.set(forward(client, &target).await?);
            io::Result::Ok(())
        }
    })
}

#[coro::coroutine]
fn demonstrate() -> io::Result<()> {
    let server = start_server("127.0.0.1:0", reverse)?;
    let counted = Rc::<Cell<(u64, u64)>>::default();
    let proxy = start_proxy(server.local_addr()?.to_string(), counted.clone())?;
    let port = proxy.local_addr()?.port();

    let mut client = yield_from!(open_connection("localhost", port))?;
    println!("the client sends \"hello\" through the proxy, says that this is all, and waits");
    yield_from!(client.write_all(b"hello"))?;
    yield_from!(client.close())?;
    let mut answer = String::new();
    yield_from!(client.read_to_string(&mut answer))?;
    println!("the client reads {answer:?}, after it had ended its own direction");
    drop(client);
    yield_from!(proxy.shutdown(seconds(5.0)));
    yield_from!(server.shutdown(seconds(5.0)));
    let (sent, received) = counted.get();
    println!("the proxy sent {sent} bytes on, and {received} bytes back");
    Ok(())
}

#[coro::main]
fn main() -> io::Result<()> {
    match service::addresses("the address to listen on, then the one to forward to") {
        Some([address, target]) => yield_from!(serve_at(&address, target.into())),
        None => yield_from!(demonstrate()),
    }
}
