//! The handover of the listening sockets to the next process.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use coro::net::UnixDatagram;
use coro::process::{Child, Command};
use coro::{race, timeout};

use crate::notify::READY;
use crate::settings::Settings;
use crate::sockets::{FIRST, Sockets};

/// How long the next process may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts the next process, with the program and the arguments of this one, and waits until it
/// serves. Gives its number.
///
/// It is started by the path that this process was started by, where there may be a newer program
/// now. Both processes accept clients from then on, until this one stops listening.
///
/// # Errors
///
/// If it does not start, ends, or is not ready in time. It is killed then, and this process goes on.
#[coro::coroutine]
pub(crate) async fn hand_over(sockets: &Sockets, settings: &Settings) -> io::Result<u32> {
    let (line, of_the_next) = UnixDatagram::pair()?;
    let mut next = start(sockets, of_the_next, settings)?;
    let id = next.id().unwrap_or_default();
    let ended = next.wait();
    let ready = race((is_ready(&line), async {
        let status = ended.await?;
        Err(io::Error::other(format!(
            "the next process ended: {status}"
        )))
    }));
    let outcome = match timeout(PATIENCE, ready).await {
        Ok(outcome) => outcome,
        Err(_) => Err(io::Error::other("the next process is not ready in time")),
    };
    if outcome.is_err() {
        let _ = next.kill(); // it may have ended by itself
    }
    outcome.map(|()| id)
}

fn start(sockets: &Sockets, line: UnixDatagram, settings: &Settings) -> io::Result<Child> {
    let [program, arguments @ ..] = &settings.command[..] else {
        return Err(io::Error::other(
            "the process does not know its own program",
        ));
    };
    let [public, admin] = sockets.for_the_next()?;
    let line: OwnedFd = line.into_std().into();
    let descriptors = [public, admin, line];
    let mut command = Command::new(program);
    command.args(arguments);
    command.env("LISTEN_FDS", descriptors.len().to_string());
    let numbered = descriptors.into_iter().zip(FIRST..);
    let mappings = numbered.map(|(parent_fd, child_fd)| FdMapping {
        parent_fd,
        child_fd,
    });
    let mapped = command.as_std_mut().fd_mappings(mappings.collect());
    mapped.map_err(io::Error::other)?;
    command.spawn()
}

#[coro::coroutine]
async fn is_ready(line: &UnixDatagram) -> io::Result<()> {
    let mut word = [0; 16];
    let length = line.recv(&mut word).await?;
    match &word[..length] == READY.as_bytes() {
        true => Ok(()),
        false => Err(io::Error::other(
            "the next process says something else than that it is ready",
        )),
    }
}
