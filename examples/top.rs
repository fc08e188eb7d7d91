//! A chat server that shows its own tasks, each second anew, as `top` shows processes.
//!
//! ```text
//! $ cargo run --example top
//! 12 tasks, 11 wait; seen in 79.6µs
//!  ID  NAME          STATE     FOR  AWAITS AT            WHICH IS
//!   -  main          ready       -  -                    -
//!   1  Task-1        waits   0.9 s  -                    fd 6 (TcpListener), to read
//!   2  clock         waits   0.4 s  examples/top.rs:123  the time 0.6 s later
//!   3  ann           waits   0.1 s  examples/top.rs:161  bytes of fd 8
//! ```
//!
//! Guests of its own talk there. With an address others can come, too, each with a name in the first
//! line, by `nc`:
//!
//! ```text
//! $ cargo run --example top -- serve 127.0.0.1:7000
//! ```
//!
//! In a terminal it goes on until Ctrl-C. Elsewhere it ends after three views. A scale such as `-- 0.1`
//! after the command has it look more often.

#[path = "support/service.rs"]
mod service;
#[path = "support/mod.rs"]
mod support;

use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use coro::net::{Server, StreamReader, TcpStream};
use coro::sight::{Step, TaskState, TaskTree, TaskView};
use coro::sync::broadcast::{self, RecvError};
use coro::task::current_task;
use coro::{EventLoop, LoopHandle, race, signal, sleep, spawn, yield_from};
use futures::AsyncWriteExt;
use support::seconds;

/// The longest line, its line end included.
const LINE_MAX: usize = 512;
const NAME_MAX: usize = 16;
/// The views of a program whose output is no terminal.
const VIEWS: usize = 3;

type Room = broadcast::Sender<Rc<str>>;

/// The whole life of a connection. Its task gets the name of its guest.
#[coro::coroutine]
async fn serve(room: Room, stream: TcpStream) -> io::Result<()> {
    let mut lines = StreamReader::with_limit(LINE_MAX, &stream);
    let Some(name) = yield_from!(lines.read_line())? else {
        return Ok(());
    };
    let name: String = name.trim().chars().take(NAME_MAX).collect();
    if let Some(this) = current_task() {
        this.set_name(&*name);
    }
    let news = room.subscribe();
    yield_from!(race((listen(&name, lines, &room), tell(news, &stream))))
}

/// Says to all the lines of one guest.
#[coro::coroutine]
async fn listen(name: &str, mut lines: StreamReader<&TcpStream>, room: &Room) -> io::Result<()> {
    while let Some(line) = yield_from!(lines.read_line())? {
        let _ = room.send(format!("<{name}> {line}\n").into());
    }
    Ok(())
}

/// Tells one guest the lines of all.
#[coro::coroutine]
async fn tell(mut news: broadcast::Receiver<Rc<str>>, mut stream: &TcpStream) -> io::Result<()> {
    loop {
        match yield_from!(news.recv()) {
            Ok(line) => yield_from!(stream.write_all(line.as_bytes()))?,
            Err(RecvError::Lagged(_)) => {} // a slow reader loses lines
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

/// Says each minute that it has passed.
#[coro::coroutine]
async fn clock(room: Room) {
    for minute in 1.. {
        yield_from!(sleep(seconds(60.0)));
        let _ = room.send(format!("* minute {minute}\n").into());
    }
}

/// A guest who says something after each pause, and hears all.
#[coro::coroutine]
async fn guest(name: &'static str, address: SocketAddr, pause: Duration) -> io::Result<()> {
    let stream = yield_from!(TcpStream::connect(address))?;
    let hearing = coro::net::copy(&stream, futures::io::sink());
    yield_from!(race((talk(name, &stream, pause), hearing)))?;
    Ok(())
}

#[coro::coroutine]
async fn talk(name: &str, mut stream: &TcpStream, pause: Duration) -> io::Result<u64> {
    yield_from!(stream.write_all(format!("{name}\n").as_bytes()))?;
    loop {
        yield_from!(sleep(pause));
        yield_from!(stream.write_all(b"as I said\n"))?;
    }
}

/// Takes a dump of the loop's tasks each second, and shows it.
#[coro::coroutine]
async fn watch() -> io::Result<()> {
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let views = if is_terminal { usize::MAX } else { VIEWS };
    for _ in 0..views {
        yield_from!(sleep(seconds(1.0)));
        let tree = yield_from!(LoopHandle::current().dump());
        if is_terminal {
            print!("\x1b[H\x1b[J"); // to the top left, and all below is cleared
        }
        println!("{}", view(&tree));
    }
    Ok(())
}

/// A table with a row for each thing that a task waits for.
fn view(tree: &TaskTree) -> String {
    let waiting = tree
        .tasks()
        .iter()
        .filter(|task| task.state() != TaskState::Ready);
    let mut out = format!(
        "{} tasks, {} wait; seen in {:.1?}\n",
        tree.tasks().len(),
        waiting.count(),
        tree.taken_in()
    );
    row(
        &mut out,
        ["ID", "NAME", "STATE", "FOR", "AWAITS AT", "WHICH IS"],
    );
    for task in tree.tasks() {
        let (id, name) = (task.id().to_string(), task.name());
        let waited = task
            .waited()
            .map(|time| format!("{:.1} s", time.as_secs_f64()));
        let waited = waited.as_deref().unwrap_or("-");
        let mut head = [&*id, &*name, state(task), waited];
        for (place, thing) in ends(tree, task) {
            let [id, name, state, waited] = std::mem::take(&mut head);
            row(&mut out, [id, name, state, waited, &place, &thing]);
        }
    }
    out
}

fn state(task: &TaskView) -> &'static str {
    match task.state() {
        TaskState::Ready => "ready",
        TaskState::Waiting => "waits",
        TaskState::Unwakeable => "is lost",
        TaskState::Cancelled => "is cancelled",
        _ => "?",
    }
}

fn row(out: &mut String, cells: [&str; 6]) {
    let [id, name, state, waited, place, thing] = cells;
    let row = format!("{id:>3}  {name:16} {state:7} {waited:>7}  {place:22} {thing}");
    let _ = writeln!(out, "{}", row.trim_end());
}

/// The ends of a task's path, each with the place of its innermost await. A task that waits for the
/// first of several things has an end for each.
fn ends(tree: &TaskTree, task: &TaskView) -> Vec<(String, String)> {
    let mut ends = Vec::new();
    let mut awaits: Vec<(usize, String)> = Vec::new();
    let mut path = task.path().peekable();
    while let Some((depth, step)) = path.next() {
        awaits.retain(|(above, _)| *above < depth);
        if let Step::At { location, .. } = step {
            awaits.push((depth, location.to_string()));
        }
        if path.peek().is_none_or(|(next, _)| *next <= depth) {
            let place = awaits.last().map_or("-", |(_, place)| place);
            ends.push((place.to_owned(), tree.describe(step)));
        }
    }
    if ends.is_empty() {
        ends.push(("-".to_owned(), "-".to_owned()));
    }
    ends
}

#[coro::coroutine]
async fn run(address: &str) -> io::Result<()> {
    let (room, _) = broadcast::channel(100);
    spawn(clock(room.clone())).set_name("clock");
    let serving = move |stream, _| serve(room.clone(), stream);
    let server = Server::builder()
        .max_connections(1000)
        .start(address, serving)?;
    let address = server.local_addr()?;
    for (name, pause) in [("ann", 0.7), ("ben", 2.5), ("eve", 600.0)] {
        spawn(guest(name, address, seconds(pause))).set_name(format!("{name}, outside"));
    }
    let stopped = yield_from!(race((watch(), signal::ctrl_c())));
    server.abort_clients();
    stopped
}

fn main() -> io::Result<()> {
    let address = service::addresses("the address to listen on");
    let address = address.map_or("127.0.0.1:0".to_owned(), |[address]| address);
    let mut event_loop = EventLoop::builder().measure_waits(true).build()?;
    let done = event_loop.run_until_complete(run(&address));
    done.unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
}
