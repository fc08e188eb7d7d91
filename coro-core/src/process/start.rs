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
/// ```
/// use coro::process::{Command, SubprocessProtocol, subprocess_exec};
/// use coro::sync::oneshot::{self, Sender};
///
/// struct Exited(Option<Sender<()>>);
///
/// impl SubprocessProtocol for Exited {
///     fn process_exited(&mut self) {
///         let _ = self.0.take().unwrap().send(());
///     }
/// }
///
/// coro::run(async {
///     let (sender, exited) = oneshot::channel();
///     let transport = subprocess_exec(&mut Command::new("true"), Exited(Some(sender))).await?;
///     exited.await.unwrap();
///     assert!(transport.exit_status().is_some_and(|status| status.success()));
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
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
#[inline]
fn begin(process: &Rc<Subprocess>) {
    let transport = SubprocessTransport::new(process.clone());
    process.call(|protocol| protocol.connection_made(&transport));
}

/// As [`subprocess_exec`], with a line for the shell; see [`Command::shell`].
///
/// ```
/// use coro::process::{SubprocessProtocol, subprocess_shell};
/// use coro::sync::channel::{self, Sender};
///
/// struct Lines(Sender<String>);
///
/// impl SubprocessProtocol for Lines {
///     fn pipe_data_received(&mut self, _fd: u32, data: &[u8]) {
///         let _ = self.0.try_send(String::from_utf8_lossy(data).into_owned());
///     }
/// }
///
/// coro::run(async {
///     let (sender, mut output) = channel::unbounded();
///     subprocess_shell("echo $((6 * 7))", Lines(sender)).await?;
///     assert_eq!(output.recv().await.as_deref(), Some("42\n"));
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
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
