//! The transports of a child process, by which a protocol controls it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::rc::Rc;
use std::task::Waker;

use super::child::Child;
use super::pipes::{ChildStdin, Output};
use super::running::Running;
use crate::sys::process as system;

/// A child with a [`SubprocessProtocol`](super::SubprocessProtocol); the counterpart of
/// `asyncio.SubprocessTransport`. Clones are the same transport.
#[derive(Clone)]
pub struct SubprocessTransport {
    shared: Rc<Shared>,
}

/// One of the pipes to a child, made by [`SubprocessTransport::get_pipe_transport`].
#[derive(Clone)]
pub struct PipeTransport {
    shared: Rc<Shared>,
    fd: u32,
}

/// The state that transports change; the driver acts on it.
pub(super) struct Shared {
    pub(super) running: Rc<Running>,
    pub(super) id: u32,
    pub(super) stdin: RefCell<Option<Rc<ChildStdin>>>,
    pub(super) outputs: [OutputPipe; 2],
    /// Bytes that wait to be written to the child's standard input.
    pub(super) outgoing: RefCell<VecDeque<u8>>,
    /// The child's standard input is to be closed once `outgoing` is written.
    pub(super) eof: Cell<bool>,
    pub(super) made: Cell<bool>,
    pub(super) closing: Cell<bool>,
    pub(super) status: Cell<Option<ExitStatus>>,
    pub(super) driver: Cell<Option<Waker>>,
}

pub(super) struct OutputPipe {
    pub(super) pipe: RefCell<Option<Rc<Output>>>,
    pub(super) paused: Cell<bool>,
}

impl OutputPipe {
    fn new(pipe: Option<Output>) -> Self {
        OutputPipe {
            pipe: RefCell::new(pipe.map(Rc::new)),
            paused: Cell::new(false),
        }
    }
}

impl Shared {
    fn wake_driver(&self) {
        if let Some(waker) = self.driver.take() {
            waker.wake();
        }
    }

    pub(super) fn close(&self) {
        self.closing.set(true);
        drop(self.outgoing.take());
        let stdin = self.stdin.take();
        drop(stdin);
        for output in &self.outputs {
            let pipe = output.pipe.take();
            drop(pipe);
        }
        // If the system refuses, the child runs on until it ends by itself.
        let _ = self.running.send_signal(system::KILL);
        self.wake_driver();
    }
}

impl SubprocessTransport {
    pub(super) fn new(mut child: Child) -> Self {
        let running = child.running.clone();
        let shared = Shared {
            id: child.id().unwrap_or_default(),
            running,
            stdin: RefCell::new(child.stdin.take().map(Rc::new)),
            outputs: [
                OutputPipe::new(child.stdout.take().map(|pipe| pipe.0)),
                OutputPipe::new(child.stderr.take().map(|pipe| pipe.0)),
            ],
            outgoing: RefCell::default(),
            eof: Cell::new(false),
            made: Cell::new(false),
            closing: Cell::new(false),
            status: Cell::new(None),
            driver: Cell::new(None),
        };
        child.keep_running();
        SubprocessTransport {
            shared: Rc::new(shared),
        }
    }

    pub(super) fn shared(&self) -> &Rc<Shared> {
        &self.shared
    }

    pub(super) fn is_made(&self) -> bool {
        self.shared.made.get()
    }

    /// The process id. After the child has ended, another process may get the number.
    pub fn get_pid(&self) -> u32 {
        self.shared.id
    }

    /// The exit status, once [`process_exited`](super::SubprocessProtocol::process_exited) was
    /// called; the counterpart of `get_returncode`. `None` before, and if the status was lost.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.shared.status.get()
    }

    /// The pipe to descriptor 0, 1 or 2 of the child, if that descriptor is piped and still open.
    pub fn get_pipe_transport(&self, fd: u32) -> Option<PipeTransport> {
        let pipe = PipeTransport {
            shared: self.shared.clone(),
            fd,
        };
        pipe.is_open().then_some(pipe)
    }

    /// Kills the child by `SIGKILL`.
    ///
    /// # Errors
    ///
    /// As for [`Child::send_signal`].
    pub fn kill(&self) -> io::Result<()> {
        self.send_signal(system::KILL)
    }

    /// Asks the child to end by `SIGTERM`.
    ///
    /// # Errors
    ///
    /// As for [`Child::send_signal`].
    pub fn terminate(&self) -> io::Result<()> {
        self.send_signal(system::TERMINATE)
    }

    /// Sends the child a signal; does nothing once it has ended.
    ///
    /// # Errors
    ///
    /// As for [`Child::send_signal`].
    pub fn send_signal(&self, signal: i32) -> io::Result<()> {
        self.shared.running.send_signal(signal)
    }

    /// Closes all pipes, drops the bytes that wait to be written, and kills the child if it still
    /// runs.
    ///
    /// The protocol's callbacks for that come soon after, from the loop. A second call does
    /// nothing.
    pub fn close(&self) {
        if !self.is_closing() {
            self.shared.close();
        }
    }

    /// Whether it is closed, or the child has ended and all pipes are lost.
    pub fn is_closing(&self) -> bool {
        self.shared.closing.get()
    }
}

impl PipeTransport {
    fn output(&self) -> Option<&OutputPipe> {
        let index = self.fd.checked_sub(1)?;
        self.shared.outputs.get(index as usize)
    }

    fn is_open(&self) -> bool {
        match self.output() {
            Some(output) => output.pipe.borrow().is_some(),
            None => self.fd == 0 && self.shared.stdin.borrow().is_some(),
        }
    }

    /// Writes bytes to the child's standard input, without waiting: they are queued.
    ///
    /// They are ignored once the pipe is closed. A program that writes faster than the child reads
    /// has to respect [`pause_writing`](super::SubprocessProtocol::pause_writing), or the queue
    /// grows without limit.
    ///
    /// # Panics
    ///
    /// On a pipe that the child writes to.
    pub fn write(&self, bytes: &[u8]) {
        assert!(
            self.fd == 0,
            "write() to descriptor {} of a child: it is the child that writes there, we write to 0",
            self.fd
        );
        if self.is_closing() || bytes.is_empty() {
            return;
        }
        self.shared.outgoing.borrow_mut().extend(bytes);
        self.shared.wake_driver();
    }

    /// How many bytes wait to be written.
    pub fn get_write_buffer_size(&self) -> usize {
        match self.fd {
            0 => self.shared.outgoing.borrow().len(),
            _ => 0,
        }
    }

    /// Stops calls of [`pipe_data_received`](super::SubprocessProtocol::pipe_data_received) for
    /// this pipe until reading is resumed, so that a child that keeps writing has to wait.
    pub fn pause_reading(&self) {
        if let Some(output) = self.output() {
            output.paused.set(true);
        }
    }

    /// Ends a pause that [`pause_reading`](Self::pause_reading) has begun.
    pub fn resume_reading(&self) {
        if let Some(output) = self.output() {
            output.paused.set(false);
            self.shared.wake_driver();
        }
    }

    /// Closes the pipe. The child's standard input is closed when all bytes are written, which ends
    /// the child's input; a pipe that the child writes to is closed at once.
    pub fn close(&self) {
        match self.output() {
            Some(output) => {
                let pipe = output.pipe.take();
                drop(pipe);
            }
            None => self.shared.eof.set(true),
        }
        self.shared.wake_driver();
    }

    /// Whether it is closed, or will be once all bytes are written.
    pub fn is_closing(&self) -> bool {
        !self.is_open() || (self.fd == 0 && self.shared.eof.get())
    }
}

impl fmt::Debug for SubprocessTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubprocessTransport")
            .field("pid", &self.get_pid())
            .field("exit_status", &self.exit_status())
            .field("closing", &self.is_closing())
            .finish()
    }
}

impl fmt::Debug for PipeTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipeTransport")
            .field("fd", &self.fd)
            .field("closing", &self.is_closing())
            .finish()
    }
}
