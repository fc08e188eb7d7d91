//! A conversation between three clients of the chat server.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use coro::net::{ConnectOptions, StreamReader, TcpStream};
use coro::yield_from;
use futures::AsyncWriteExt;
use socket2::SockRef;

use crate::room::House;
use crate::support::seconds;

struct Client {
    name: &'static str,
    lines: StreamReader<TcpStream>,
}

impl Client {
    #[coro::coroutine]
    fn connect(name: &'static str, address: SocketAddr) -> io::Result<Client> {
        // A small buffer, so that a slow reader is noticed soon.
        let options = ConnectOptions::new()
            .prepare(|socket| SockRef::from(socket).set_recv_buffer_size(4096));
        let stream = yield_from!(options.connect(address))?;
        let mut lines = StreamReader::new(stream);
        yield_from!(lines.read_line())?; // what is your name?
        let mut client = Client { name, lines };
        yield_from!(client.say(name))?;
        Ok(client)
    }

    #[coro::coroutine]
    fn say(&mut self, line: &str) -> io::Result<()> {
        let line = format!("{line}\n");
        yield_from!(self.lines.get_mut().write_all(line.as_bytes()))
    }

    /// Reads lines until one contains `what`, then prints that line.
    #[coro::coroutine]
    fn hear(&mut self, what: &str) -> io::Result<()> {
        while let Some(line) = yield_from!(self.lines.read_line())? {
            if line.contains(what) {
                println!("{} hears: {line}", self.name);
                return Ok(());
            }
        }
        let message = format!("{} never hears of {what:?}", self.name);
        Err(io::Error::other(message))
    }
}

#[coro::coroutine]
pub(crate) fn run() -> io::Result<()> {
    let house = Rc::<House>::default();
    let server = crate::start("127.0.0.1:0", &house)?;
    let address = server.local_addr()?;

    let mut ann = yield_from!(Client::connect("ann", address))?;
    yield_from!(ann.hear("you are"))?;
    let mut ben = yield_from!(Client::connect("ben", address))?;
    yield_from!(ben.hear("you are"))?;
    yield_from!(ann.hear("ben has come"))?;
    yield_from!(ann.say("hello"))?;
    yield_from!(ben.hear("hello"))?;
    yield_from!(ann.say("/join attic"))?;
    yield_from!(ben.hear("gone to"))?;
    yield_from!(ben.say("/who"))?;
    yield_from!(ben.hear("in lobby:"))?;
    yield_from!(ben.say("/nick bob"))?;
    yield_from!(ben.hear("you are called"))?;

    let mut eve = Client {
        name: "eve",
        ..yield_from!(Client::connect("bob", address))?
    };
    yield_from!(eve.hear("taken"))?;
    yield_from!(eve.say("eve"))?;
    yield_from!(bore(&mut ben))?;

    house.close("* the house closes: goodbye");
    yield_from!(ann.hear("closes"))?;
    yield_from!(ben.hear("closes"))?;
    drop((ann, ben, eve));
    yield_from!(server.shutdown(seconds(5.0)));
    Ok(())
}

/// Sends lines until the server dismisses eve, who reads none of them. `client` reads them all.
#[coro::coroutine]
fn bore(client: &mut Client) -> io::Result<()> {
    let line = "and then ".repeat(50);
    for _ in 0..20_000 {
        yield_from!(client.say(&line))?;
        let heard = yield_from!(client.lines.read_line())?.map(str::to_owned);
        if heard.is_some_and(|line| line.contains("too slowly")) {
            println!(
                "{} hears: * eve reads too slowly, and has to go",
                client.name
            );
            return Ok(());
        }
    }
    Err(io::Error::other("eve is still there"))
}
