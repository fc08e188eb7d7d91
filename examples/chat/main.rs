//! A chat server with names, with rooms, with a limit for guests that read too slowly.
//!
//! ```text
//! $ cargo run --example chat
//! ann hears: * you are ann, in lobby: /join ROOM, /nick NAME, /who, /quit
//! ben hears: * you are ben, in lobby: /join ROOM, /nick NAME, /who, /quit
//! ann hears: * ben has come
//! ben hears: <ann> hello
//! ben hears: * ann has gone to attic
//! ben hears: * in lobby: ben
//! ben hears: * you are called bob now
//! eve hears: * the name bob is taken: try another
//! eve reads too slowly
//! ben hears: * eve reads too slowly, and has to go
//! ann hears: * the house closes: goodbye
//! ben hears: * the house closes: goodbye
//! ```
//!
//! This is a demonstration, in which the program is its own client. With an address it serves until
//! Ctrl-C:
//!
//! ```text
//! $ cargo run --example chat -- serve 127.0.0.1:7000
//! listening on 127.0.0.1:7000, until Ctrl-C
//! $ nc 127.0.0.1 7000
//! * what is your name?
//! ann
//! * you are ann, in lobby: /join ROOM, /nick NAME, /who, /quit
//! ```

mod demonstration;
mod room;
#[path = "../support/service.rs"]
mod service;
#[path = "../support/mod.rs"]
mod support;

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use coro::net::{ReadError, Server, StreamReader, TcpStream, copy};
use coro::{race, signal, timeout, yield_from};
use futures::future::FusedFuture;
use futures::{AsyncWriteExt, FutureExt};
use room::{Guest, House};

const LOBBY: &str = "lobby";
/// The longest line, its line end included.
const LINE_MAX: usize = 512;
const NAME_MAX: usize = 16;
/// How long a dismissed guest may take to receive the last lines.
const GRACE: Duration = Duration::from_secs(2);

type Lines<'a> = StreamReader<&'a TcpStream>;

fn start(addresses: &str, house: &Rc<House>) -> io::Result<Server> {
    let house = house.clone();
    let builder = Server::builder().max_connections(1000);
    builder.start(addresses, move |stream, _| serve(house.clone(), stream))
}

/// The whole life of a connection.
#[coro::coroutine]
fn serve(house: Rc<House>, stream: TcpStream) -> Result<(), ReadError> {
    let mut lines = StreamReader::with_limit(LINE_MAX, &stream);
    let Some((name, guest)) = yield_from!(welcome(&house, &stream, &mut lines))? else {
        return Ok(());
    };
    let here = Here {
        house,
        name: RefCell::new(name),
    };
    let mut telling = pin!(tell_all(&guest, &stream).fuse());
    let heard = yield_from!(race((
        listen(&here, &guest, &mut lines),
        telling.as_mut(), // borrowed, since it goes on below
    )));
    if guest.is_leaving() {
        drop(here);
        let telling = match telling.is_terminated() {
            true => None,
            false => Some(telling),
        };
        let _ = yield_from!(timeout(GRACE, part(telling, &stream)));
    }
    match heard {
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(()),
        heard => heard,
    }
}

/// Sends the last lines, then waits until the client closes too. To close a connection that holds
/// unread bytes would reset it, and the client might then lose the last lines.
#[coro::coroutine]
fn part(
    telling: Option<impl Future<Output = Result<(), ReadError>>>,
    mut stream: &TcpStream,
) -> Result<(), ReadError> {
    if let Some(telling) = telling {
        yield_from!(telling)?;
    }
    yield_from!(stream.close())?;
    yield_from!(copy(stream, futures::io::sink()))?;
    Ok(())
}

/// The presence of a guest in the house. Dropping it removes the guest, however the connection
/// ends.
struct Here {
    house: Rc<House>,
    name: RefCell<String>,
}

impl Drop for Here {
    fn drop(&mut self) {
        self.house.leave(&self.name.borrow());
    }
}

/// Asks for a name until one is valid and free; `None` if the client closes first.
#[coro::coroutine]
fn welcome(
    house: &House,
    mut stream: &TcpStream,
    lines: &mut Lines<'_>,
) -> Result<Option<(String, Rc<Guest>)>, ReadError> {
    let mut question = String::from("* what is your name?\n");
    loop {
        yield_from!(stream.write_all(question.as_bytes()))?;
        let Some(name) = yield_from!(lines.read_line())? else {
            return Ok(None);
        };
        let name = name.trim().to_owned();
        if let Err(why) = check_name(&name) {
            question = format!("* {why}\n");
            continue;
        }
        match house.enter(&name, LOBBY) {
            None => question = format!("* the name {name} is taken: try another\n"),
            Some(guest) => {
                guest.tell(format!(
                    "* you are {name}, in {LOBBY}: /join ROOM, /nick NAME, /who, /quit"
                ));
                return Ok(Some((name, guest)));
            }
        }
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let is_good = !name.is_empty() && name.chars().all(char::is_alphanumeric);
    match is_good && name.chars().count() <= NAME_MAX {
        true => Ok(()),
        false => Err(format!(
            "1 to {NAME_MAX} letters and digits, please: try another"
        )),
    }
}

/// Obeys the guest's lines until the guest leaves.
#[coro::coroutine]
fn listen(here: &Here, guest: &Guest, lines: &mut Lines<'_>) -> Result<(), ReadError> {
    loop {
        match yield_from!(lines.read_line()) {
            Ok(None) => return Ok(()),
            Ok(Some("/quit")) => {
                guest.dismiss("* goodbye");
                return Ok(());
            }
            Ok(Some(line)) => obey(here, guest, line),
            Err(error) if error.is_too_long() => {
                guest.tell("* that line is too long");
                yield_from!(lines.skip_until(b"\n"))?;
            }
            Err(error) if error.is_not_text() => {
                guest.tell("* that was no text");
                yield_from!(lines.skip_until(b"\n"))?;
            }
            Err(error) => return Err(error),
        }
    }
}

fn obey(here: &Here, guest: &Guest, line: &str) {
    let (house, name) = (&here.house, here.name.borrow().clone());
    let room = guest.room();
    match line.trim().split_once(' ').unwrap_or((line.trim(), "")) {
        ("", _) => {}
        ("/who", "") => guest.tell(format!("* in {room}: {}", house.names(&room))),
        ("/join", to) if check_name(to).is_ok() => house.change_room(&name, guest, to),
        ("/nick", to) if check_name(to).is_ok() => match house.rename(&name, to) {
            true => {
                here.name.replace(to.to_owned());
                guest.tell(format!("* you are called {to} now"));
            }
            false => guest.tell(format!("* the name {to} is taken")),
        },
        (command, _) if command.starts_with('/') => guest.tell("* what is that supposed to mean?"),
        _ => house.say(&room, &format!("<{name}> {}", line.trim())),
    }
}

/// Sends the guest all lines that are queued, up to the last.
#[coro::coroutine]
fn tell_all(guest: &Guest, mut stream: &TcpStream) -> Result<(), ReadError> {
    while let Some(line) = yield_from!(guest.next()) {
        let line = format!("{line}\n");
        yield_from!(stream.write_all(line.as_bytes()))?;
    }
    Ok(())
}

#[coro::coroutine]
fn serve_at(address: &str) -> io::Result<()> {
    let stop = signal::ctrl_c();
    let house = Rc::<House>::default();
    let server = start(address, &house)?;
    println!("listening on {}, until Ctrl-C", server.local_addr()?);
    yield_from!(stop)?;
    house.close("* the house closes: goodbye");
    let cut = yield_from!(server.shutdown(GRACE * 2));
    println!("stopped by Ctrl-C: {cut} connections cut");
    Ok(())
}

#[coro::main]
fn main() -> io::Result<()> {
    match service::addresses("the address to listen on") {
        Some([address]) => yield_from!(serve_at(&address)),
        None => yield_from!(demonstration::run()),
    }
}
