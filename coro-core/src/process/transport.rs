//! The transports of a child process, by which a protocol controls it.

use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::rc::Rc;

use super::subprocess::Subprocess;
use crate::callbacks::{CallbackTransport, WriteLimits};
use crate::sys::process as system;

/// A child with a [`SubprocessProtocol`](super::SubprocessProtocol); the counterpart of
/// `asyncio.SubprocessTransport`. Clones are the same transport.
#[derive(Clone)]
pub struct SubprocessTransport {
    process: Rc<Subprocess>,
}

/// One of the pipes to a child, made by [`SubprocessTransport::get_pipe_transport`].
#[derive(Clone)]
pub struct PipeTransport {
    process: Rc<Subprocess>,
    fd: u32,
}

impl SubprocessTransport {
    #[inline]
    pub(super) fn new(process: Rc<Subprocess>) -> Self {
        SubprocessTransport { process }
    }

    /// The process id. After the child has ended, another process may get the number.
    #[inline]
    pub fn get_pid(&self) -> u32 {
        self.process.id
    }

    /// The exit status, once [`process_exited`](super::SubprocessProtocol::process_exited) was
    /// called; the counterpart of `get_returncode`. `None` before, and if the status was lost.
    #[inline]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.process.status.get()
    }

    /// The pipe to descriptor 0, 1 or 2 of the child, if that descriptor is piped and still open.
    #[inline]
    pub fn get_pipe_transport(&self, fd: u32) -> Option<PipeTransport> {
        let pipe = PipeTransport {
            process: self.process.clone(),
            fd,
        };
        self.process.has_open(fd).then_some(pipe)
    }

    /// Kills the child by `SIGKILL`.
    ///
    /// # Errors
    ///
    /// As for [`Child::send_signal`](super::Child::send_signal).
    #[inline]
    pub fn kill(&self) -> io::Result<()> {
        self.send_signal(system::KILL)
    }

    /// Asks the child to end by `SIGTERM`.
    ///
    /// # Errors
    ///
    /// As for [`Child::send_signal`](super::Child::send_signal).
    #[inline]
    pub fn terminate(&self) -> io::Result<()> {
        self.send_signal(system::TERMINATE)
    }

    /// Sends the child a signal; does nothing once it has ended.
    ///
    /// # Errors
    ///
    /// As for [`Child::send_signal`](super::Child::send_signal).
    #[inline]
    pub fn send_signal(&self, signal: i32) -> io::Result<()> {
        self.process.running.send_signal(signal)
    }

    /// Closes all pipes, drops the bytes that wait to be written, and kills the child if it still
    /// runs.
    ///
    /// The protocol's callbacks for that come soon after, from the loop. A second call does
    /// nothing.
    #[inline]
    pub fn close(&self) {
        self.process.close();
    }

    /// Whether it is closed, or the child has ended and all pipes are lost.
    #[inline]
    pub fn is_closing(&self) -> bool {
        self.process.life().is_closing()
    }
}

impl PipeTransport {
    /// Writes bytes to the child's standard input, without waiting: as many as the pipe takes at
    /// once, and the rest as soon as it can.
    ///
    /// A program that writes faster than the child reads has to respect
    /// [`pause_writing`](super::SubprocessProtocol::pause_writing), or the bytes that wait grow
    /// without limit. Bytes that are written once the pipe is closed are ignored; a program that
    /// goes on doing so is reported to the loop's exception handler.
    ///
    /// # Panics
    ///
    /// On a pipe that the child writes to.
    #[track_caller]
    #[inline]
    pub fn write(&self, bytes: &[u8]) {
        self.assert_input("write");
        self.process.write(bytes);
    }

    /// How many bytes wait to be written.
    #[inline]
    pub fn get_write_buffer_size(&self) -> usize {
        match self.fd {
            0 => self.process.buffered(),
            _ => 0,
        }
    }

    /// Sets how many bytes may wait before
    /// [`pause_writing`](super::SubprocessProtocol::pause_writing) is called, and how few before
    /// `resume_writing` is; as
    /// [`Transport::set_write_buffer_limits`](crate::net::Transport::set_write_buffer_limits).
    ///
    /// # Panics
    ///
    /// If `low` is above `high`, and on a pipe that the child writes to.
    #[track_caller]
    #[inline]
    pub fn set_write_buffer_limits(&self, high: Option<usize>, low: Option<usize>) {
        self.assert_input("set_write_buffer_limits");
        self.process.set_limits(WriteLimits::new(high, low));
    }

    /// The limits as `(low, high)`, in bytes.
    ///
    /// # Panics
    ///
    /// On a pipe that the child writes to.
    #[track_caller]
    #[inline]
    pub fn get_write_buffer_limits(&self) -> (usize, usize) {
        self.assert_input("get_write_buffer_limits");
        self.process.limits().get()
    }

    #[track_caller]
    #[inline]
    fn assert_input(&self, method: &str) {
        assert!(
            self.fd == 0,
            "{method}() on descriptor {} of a child: it is the child that writes there, we write to 0",
            self.fd
        );
    }

    /// Stops calls of [`pipe_data_received`](super::SubprocessProtocol::pipe_data_received) for
    /// this pipe until reading is resumed, so that a child that keeps writing has to wait.
    #[inline]
    pub fn pause_reading(&self) {
        self.process.pause_reading(self.fd);
    }

    /// Ends a pause that [`pause_reading`](Self::pause_reading) has begun.
    #[inline]
    pub fn resume_reading(&self) {
        self.process.resume_reading(self.fd);
    }

    /// Closes the pipe. The child's standard input is closed when all bytes are written, which ends
    /// the child's input; a pipe that the child writes to is closed at once.
    #[inline]
    pub fn close(&self) {
        self.process.close_pipe(self.fd);
    }

    /// Whether it is closed, or will be once all bytes are written.
    #[inline]
    pub fn is_closing(&self) -> bool {
        match self.fd {
            0 => self.process.is_input_closing(),
            fd => !self.process.has_open(fd),
        }
    }
}

impl fmt::Debug for SubprocessTransport {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubprocessTransport")
            .field("pid", &self.get_pid())
            .field("exit_status", &self.exit_status())
            .field("closing", &self.is_closing())
            .finish()
    }
}

impl fmt::Debug for PipeTransport {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipeTransport")
            .field("fd", &self.fd)
            .field("closing", &self.is_closing())
            .finish()
    }
}
