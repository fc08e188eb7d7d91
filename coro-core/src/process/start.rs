//! Starting a subprocess with a protocol.

use std::ffi::OsStr;
use std::io;
use std::process::Stdio;
use std::rc::Rc;

use super::command::Command;
use super::protocol::SubprocessProtocol;
use super::subprocess::Subprocess;
use super::transport::SubprocessTransport;
use crate::callbacks::{CallbackTransport, Driver};
use crate::event_loop::LoopHandle;

/// Starts a program and calls a protocol as it runs. The counterpart of `loop.subprocess_exec`.
///
/// Its standard streams are pipes, unless the command sets them otherwise.
/// [`connection_made`](SubprocessProtocol::connection_made) has been called when this gives the
/// transport. The loop owns the child and the protocol: dropping the transport has no effect,
/// closing the loop kills the child. Dropping this future early leaves the child running, with its
/// protocol.
///
/// # Errors
///
/// As for [`Command::spawn`].
///
/// # Panics
///
/// When polled outside of a loop.
pub async fn subprocess_exec<P: SubprocessProtocol>(
    command: &mut Command,
    protocol: P,
) -> io::Result<SubprocessTransport> {
    let child = command.spawn_piped(Stdio::piped)?;
    let of = LoopHandle::current();
    let process = Subprocess::new(of.clone(), child, Box::new(protocol));
    drop(of.spawn(Driver::new(process.clone(), begin)));
    process.life().made().await;
    Ok(SubprocessTransport::new(process))
}

/// Calls `connection_made`, from the driver's first step.
fn begin(process: &Rc<Subprocess>) {
    let transport = SubprocessTransport::new(process.clone());
    process.call(|protocol| protocol.connection_made(&transport));
}

/// As [`subprocess_exec`], with a line for the shell; see [`Command::shell`].
///
/// # Errors
///
/// As for [`Command::spawn`].
///
/// # Panics
///
/// When polled outside of a loop.
pub async fn subprocess_shell<P: SubprocessProtocol>(
    line: impl AsRef<OsStr>,
    protocol: P,
) -> io::Result<SubprocessTransport> {
    subprocess_exec(&mut Command::shell(line), protocol).await
}
