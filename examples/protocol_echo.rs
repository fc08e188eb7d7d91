//! A server with a client in callback style: a `Protocol` instead of a coroutine.
//!
//! ```text
//! $ cargo run --example protocol_echo
//! listening on 127.0.0.1:40123
//! client: connected, and says "tick 1"
//! server: client 1 said 6 bytes
//! client: heard "tick 1"
//! client: heard "tick 2"
//! client: heard "tick 3"
//! client: says no more
//! server: client 1 left: 18 bytes
//! client: the connection is closed
//! ```
//!
//! The ticks are a second apart; a scale such as `-- 0.1` after the command makes that 0.1 s.

mod support;

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use coro::net::{Protocol, Transport, create_connection, create_server};
use coro::sync::Event;
use coro::{call_later, yield_from};
use support::seconds;

/// The server's protocol for one connection.
struct Echo {
    number: u32,
    transport: Option<Transport>,
    echoed: usize,
}

impl Protocol for Echo {
    fn connection_made(&mut self, transport: &Transport) {
        self.transport = Some(transport.clone());
    }

    fn data_received(&mut self, data: &[u8]) {
        if self.echoed == 0 {
            println!("server: client {} said {} bytes", self.number, data.len());
        }
        self.echoed += data.len();
        if let Some(transport) = &self.transport {
            transport.write(data);
        }
    }

    /// Stops reading from a client that does not read its echoes, until it does.
    fn pause_writing(&mut self) {
        self.transport.iter().for_each(Transport::pause_reading);
    }

    fn resume_writing(&mut self) {
        self.transport.iter().for_each(Transport::resume_reading);
    }

    fn connection_lost(&mut self, error: Option<io::Error>) {
        match error {
            None => println!("server: client {} left: {} bytes", self.number, self.echoed),
            Some(error) => println!("server: client {} is lost: {error}", self.number),
        }
    }
}

/// Sends a tick every second, three times, and waits for the echo of each.
struct Ticker {
    transport: Option<Transport>,
    heard: u32,
    done: Rc<Event>,
}

fn tick(number: u32) -> String {
    format!("tick {number}")
}

impl Protocol for Ticker {
    fn connection_made(&mut self, transport: &Transport) {
        println!("client: connected, and says {:?}", tick(1));
        transport.write(tick(1).as_bytes());
        self.transport = Some(transport.clone());
    }

    /// A message this short arrives in one piece, since the next is sent only after its echo.
    fn data_received(&mut self, data: &[u8]) {
        println!("client: heard {:?}", String::from_utf8_lossy(data));
        self.heard += 1;
        let Some(transport) = self.transport.clone() else {
            return;
        };
        if self.heard == 3 {
            println!("client: says no more");
            return transport.write_eof();
        }
        let next = tick(self.heard + 1);
        call_later(seconds(1.0), move || {
            transport.write(next.as_bytes());
        });
    }

    fn connection_lost(&mut self, _: Option<io::Error>) {
        println!("client: the connection is closed");
        self.done.set();
    }
}

#[coro::main]
fn main() -> io::Result<()> {
    support::check_arguments();
    let clients = Rc::new(Cell::new(0));
    let numbers = clients.clone();
    let server = create_server(
        move || {
            numbers.set(numbers.get() + 1);
            Echo {
                number: numbers.get(),
                transport: None,
                echoed: 0,
            }
        },
        "127.0.0.1:0",
    )?;
    println!("listening on {}", server.local_addr()?);

    // Callbacks meet coroutines: the protocol sets the event that the coroutine waits for.
    let done = Rc::new(Event::new());
    let ticker = || Ticker {
        transport: None,
        heard: 0,
        done: done.clone(),
    };
    yield_from!(create_connection(ticker, server.local_addr()?))?;
    yield_from!(done.wait());
    yield_from!(server.shutdown(seconds(1.0)));
    Ok(())
}
