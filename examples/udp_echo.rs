//! A UDP server that sends datagrams back, with a client that asks again if no answer comes.
//!
//! ```text
//! $ cargo run --example udp_echo
//! asked   "hello"
//! echoed  "hello"
//! asked   "a datagram longer than the server's buffer"
//! echoed  "a datagram longer than t, cut short"
//! asked   ""
//! echoed  ""
//! asked   "lost twice on its way"
//! no answer in 0.2 seconds: asking again
//! no answer in 0.2 seconds: asking again
//! echoed  "lost twice on its way"
//! the server has sent back 4 datagrams, and lost 2 on purpose
//! ```
//!
//! The loopback interface loses nothing, so the server drops datagrams on purpose. With a scale
//! such as `-- 0.1` after the command the client is less patient.

mod support;

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use coro::net::UdpSocket;
use coro::{spawn, timeout, yield_from};
use support::seconds;

/// How long the client waits for an answer before it asks again.
const PATIENCE: f64 = 0.2;
/// Room for one datagram. A longer one is cut, and its echo says so.
const BUFFER: usize = 24;
const CUT: &[u8] = b", cut short";

#[derive(Default)]
struct Books {
    echoed: Cell<u32>,
    lost: Cell<u32>,
}

/// Echoes for ever, but drops the first two datagrams that begin with `lost`.
#[coro::coroutine]
fn serve(socket: UdpSocket, books: Rc<Books>) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        let datagram = yield_from!(socket.recv_datagram(&mut buffer))?;
        let received = &buffer[..datagram.len];
        if received.starts_with(b"lost") && books.lost.get() < 2 {
            books.lost.set(books.lost.get() + 1);
            continue;
        }
        let mut answer = received.to_vec();
        if datagram.truncated {
            answer.extend(CUT);
        }
        yield_from!(socket.send_to(&answer, datagram.from))?;
        books.echoed.set(books.echoed.get() + 1);
    }
}

/// Sends a datagram until an answer comes.
#[coro::coroutine]
fn ask(socket: &UdpSocket, text: &str) -> io::Result<String> {
    println!("asked   {text:?}");
    let mut buffer = [0; BUFFER + CUT.len()];
    loop {
        yield_from!(socket.send(text.as_bytes()))?;
        match yield_from!(timeout(seconds(PATIENCE), socket.recv(&mut buffer))) {
            Ok(received) => {
                let answer = &buffer[..received?];
                return Ok(String::from_utf8_lossy(answer).into_owned());
            }
            Err(_) => println!("no answer in {PATIENCE} seconds: asking again"),
        }
    }
}

#[coro::main]
fn main() -> io::Result<()> {
    support::check_arguments();
    let server = UdpSocket::bind("127.0.0.1:0")?;
    let address: SocketAddr = server.local_addr()?;
    let books = Rc::new(Books::default());
    let serving = spawn(serve(server, books.clone()));

    let client = UdpSocket::bind("127.0.0.1:0")?;
    client.connect(address)?;
    for text in [
        "hello",
        "a datagram longer than the server's buffer",
        "",
        "lost twice on its way",
    ] {
        let answer = yield_from!(ask(&client, text))?;
        println!("echoed  {answer:?}");
    }
    serving.cancel();
    let (echoed, lost) = (books.echoed.get(), books.lost.get());
    println!("the server has sent back {echoed} datagrams, and lost {lost} on purpose");
    Ok(())
}
