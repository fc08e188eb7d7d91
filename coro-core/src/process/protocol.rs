//! Protocols of a child process: callbacks, as in asyncio.

use std::io;

use super::transport::SubprocessTransport;
use crate::callbacks::callbacks_of;

/// Callbacks that are called as a child writes, closes its pipes and ends: the counterpart of
/// `asyncio.SubprocessProtocol`.
///
/// [`connection_made`](Self::connection_made) comes first, once. Then each pipe's data comes, and
/// last its loss; the end of the process may come before, between or after these. When the process
/// has ended *and* all pipes are lost, [`connection_lost`](Self::connection_lost) comes, last and
/// once. It also comes if the loop is closed before.
///
/// A callback may call every method of the transport. None of them calls back into the protocol
/// that is being called: the calls that they lead to come when the callback has returned.
///
/// A callback that panics is reported to the loop's exception handler, and its child is killed:
/// `connection_lost` is called with an error that says so, and no other callback is.
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

    /// More bytes wait to be written to the child than the high limit, 64 KiB by default: stop
    /// writing for now.
    ///
    /// It is called inside of the [`write`](super::PipeTransport::write) that goes over the limit;
    /// if the protocol wrote that itself, then as soon as its callback returns. See
    /// [`set_write_buffer_limits`](super::PipeTransport::set_write_buffer_limits).
    fn pause_writing(&mut self) {}

    /// No more bytes wait to be written than the low limit, 16 KiB by default: go on writing.
    fn resume_writing(&mut self) {}
}

callbacks_of!(dyn SubprocessProtocol);
