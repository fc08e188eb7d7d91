//! The door of a live process: its loops are asked by a signal for their own dumps.
//!
//! The loops that have opted in write to a socket that waits here, at an abstract name. Such a name
//! belongs to no folder, so it needs no mode, and it is gone with this process. Any process may connect
//! to it, so the system is asked which one has done so.

use std::collections::HashMap;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::process::Process;
use crate::tasks::Snapshot;

/// A loop that does not answer for so long is in a long step.
const PATIENCE: Duration = Duration::from_secs(2);

const PAUSE: Duration = Duration::from_millis(2);

/// An answer that is longer is cut.
const ANSWER_MAX: u64 = 1 << 30;

/// What came of asking, for each loop by its thread.
pub(crate) enum Answers {
    /// The loops were not asked, for this reason.
    None(String),
    /// Those that have answered. The others hold up their threads, or have not opted in.
    Some(HashMap<u32, String>),
}

/// Asks the loops of a process for their dumps, if they have opted in.
pub(crate) fn ask(process: &Process, snapshot: &Snapshot) -> Answers {
    match try_to_ask(process, snapshot) {
        Ok(answers) => Answers::Some(answers),
        Err(reason) => Answers::None(reason),
    }
}

fn try_to_ask(process: &Process, snapshot: &Snapshot) -> Result<HashMap<u32, String>, String> {
    let doors = snapshot.loops.iter().map(|it| it.door);
    let signals: Vec<u32> = doors.filter(|door| *door != 0).collect();
    if signals.is_empty() {
        return Err(String::from(
            "no loop writes its own dump: that needs `Builder::dump_on`, or CORO_DEBUG=1 when the \
             process is started",
        ));
    }
    if process.is_stopped() {
        return Err(String::from(
            "the process is stopped, so its loops cannot be asked",
        ));
    }
    let listener = listen(process).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => String::from("another `coro` asks the process just now"),
        _ => format!("no socket can be made for an answer: {error}"),
    })?;
    for (at, signal) in signals.iter().enumerate() {
        if !signals[..at].contains(signal) {
            send(process, *signal).map_err(|error| format!("{error}, so no loop was asked"))?;
        }
    }
    Ok(collect(process, &listener, signals.len()))
}

fn listen(process: &Process) -> io::Result<UnixListener> {
    let name = format!("coro-sight-{}", process.id_in_its_namespace());
    let address = SocketAddr::from_abstract_name(name.as_bytes())?;
    let listener = UnixListener::bind_addr(&address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Sends a signal to the process that was read, and to no other that has got its number since.
fn send(process: &Process, signal: u32) -> Result<(), String> {
    let signal = i32::try_from(signal).ok().and_then(Signal::from_named_raw);
    let signal = signal.ok_or("the signal of the loop has no name")?;
    pidfd_send_signal(&process.handle, signal)
        .map_err(|error| format!("the signal cannot be sent: {error}"))
}

pub(crate) fn open(id: u32) -> io::Result<OwnedFd> {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw);
    let id = id.ok_or(io::ErrorKind::NotFound)?;
    Ok(pidfd_open(id, PidfdFlags::empty())?)
}

/// Waits for that many answers, each from a loop of its own.
fn collect(process: &Process, listener: &UnixListener, count: usize) -> HashMap<u32, String> {
    let deadline = Instant::now() + PATIENCE;
    let mut answers = HashMap::new();
    while answers.len() < count && Instant::now() < deadline {
        match listener.accept() {
            Ok((stream, _)) if is_of(process, &stream) => answers.extend(read(stream)),
            Ok(_) => {} // another process
            Err(_) => thread::sleep(PAUSE),
        }
    }
    answers
}

fn is_of(process: &Process, stream: &UnixStream) -> bool {
    let peer = socket_peercred(stream).map(|peer| peer.pid.as_raw_nonzero().get());
    peer.is_ok_and(|peer| u32::try_from(peer) == Ok(process.id))
}

/// The thread of a loop, and its tree.
fn read(stream: UnixStream) -> Option<(u32, String)> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut bytes = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let (thread, tree) = text.split_once('\n')?;
    let thread = thread.strip_prefix("thread ")?.parse().ok()?;
    Some((thread, tree.to_owned()))
}
