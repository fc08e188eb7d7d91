//! Protocols of a child process: callbacks, as in asyncio.

use std::ffi::OsStr;
use std::io;
use std::process::Stdio;

use super::child::let_others_run;
use super::command::Command;
use super::driver::Driver;
use super::transport::SubprocessTransport;
use crate::event_loop::spawn;

/// Callbacks that are called as a child writes, closes its pipes and ends: the counterpart of
/// `asyncio.SubprocessProtocol`.
///
/// [`connection_made`](Self::connection_made) comes first, once. Then each pipe's data comes, and
/// last its loss; the end of the process may come before, between or after these. When the process
/// has ended *and* all pipes are lost, [`connection_lost`](Self::connection_lost) comes, last and
/// once. It also comes if the loop is closed before.
///
/// All calls come from the child's own task, never from inside a method of the transport. So a
/// callback may call every method of the transport. A panic in a callback ends that task: the panic
/// is reported, the child is killed, and `connection_lost` is called with an error.
///
/// ```
/// use coro::process::{Command, SubprocessProtocol, SubprocessTransport, subprocess_exec};
/// use futures::channel::oneshot;
///
/// struct Collect(Vec<u8>, Option<oneshot::Sender<Vec<u8>>>);
///
/// impl SubprocessProtocol for Collect {
///     fn connection_made(&mut self, transport: &SubprocessTransport) {
///         let stdin = transport.get_pipe_transport(0).unwrap();
///         stdin.write(b"b\na\n");
///         stdin.close();
///     }
///
///     fn pipe_data_received(&mut self, fd: u32, data: &[u8]) {
///         assert_eq!(fd, 1);
///         self.0.extend_from_slice(data);
///     }
///
///     fn connection_lost(&mut self, _: Option<std::io::Error>) {
///         let _ = self.1.take().unwrap().send(std::mem::take(&mut self.0));
///     }
/// }
///
/// coro::run(async {
///     let (tell, told) = oneshot::channel();
///     let sort = &mut Command::new("sort");
///     subprocess_exec(sort, Collect(vec![], Some(tell))).await.unwrap();
///     assert_eq!(told.await.unwrap(), b"a\nb\n");
/// });
/// ```
pub trait SubprocessProtocol: 'static {
    /// The child runs. Keep a clone of the transport to write to it or to end it.
    fn connection_made(&mut self, transport: &SubprocessTransport) {
        let _ = transport;
    }

    /// The child has written `data`, to descriptor 1, its standard output, or 2, its standard
    /// error.
    ///
    /// The data is divided arbitrarily, not by lines, and the buffer is reused.
    fn pipe_data_received(&mut self, fd: u32, data: &[u8]) {
        let _ = (fd, data);
    }

    /// A pipe is closed: all processes that share its other end have closed it, the transport has
    /// closed this end, or there was an error. For descriptor 0 it means that written data is no
    /// longer read; an error is passed only if data was still waiting to be written.
    fn pipe_connection_lost(&mut self, fd: u32, error: Option<io::Error>) {
        let _ = (fd, error);
    }

    /// The child has ended, and is reaped: see [`SubprocessTransport::exit_status`].
    ///
    /// Data that it wrote may still arrive.
    fn process_exited(&mut self) {}

    /// The last call: the process has ended and all pipes are lost. With an error if the exit
    /// status was lost, or if the protocol panicked.
    fn connection_lost(&mut self, error: Option<io::Error>) {
        let _ = error;
    }

    /// More than 64 KiB wait to be written to the child: stop writing for now.
    ///
    /// It is called soon after the write, not during it.
    fn pause_writing(&mut self) {}

    /// No more than 16 KiB wait to be written now: go on writing.
    fn resume_writing(&mut self) {}
}

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
    let transport = SubprocessTransport::new(child);
    drop(spawn(Driver::new(protocol, transport.clone())));
    while !transport.is_made() {
        let_others_run().await;
    }
    Ok(transport)
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
