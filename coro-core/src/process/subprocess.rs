//! The state of a subprocess, which its transports, its protocol and its driver share.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::ExitStatus;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::child::Child;
use super::pipes::{ChildStdin, Output};
use super::protocol::SubprocessProtocol;
use super::running::Running;
use crate::callbacks::{CallbackTransport, Life, Outgoing, ProtocolCell};
use crate::event_loop::LoopHandle;
use crate::sys::process as system;
use crate::task::budget;

type Exit = Pin<Box<dyn Future<Output = io::Result<ExitStatus>>>>;

pub(super) struct Subprocess {
    life: Life,
    protocol: ProtocolCell<dyn SubprocessProtocol>,
    pub(super) running: Rc<Running>,
    pub(super) id: u32,
    /// The pipe to the child's standard input, until it is closed.
    stdin: RefCell<Option<Rc<ChildStdin>>>,
    outputs: [OutputPipe; 2],
    /// Bytes that wait to be written to the child's standard input.
    out: RefCell<Outgoing>,
    /// The child's standard input is to be closed once `out` is written.
    eof: Cell<bool>,
    /// Whether the protocol still has to be told of the loss of each pipe.
    has_pipe: [Cell<bool>; 3],
    /// `None` once the child has ended.
    exit: RefCell<Option<Exit>>,
    pub(super) status: Cell<Option<ExitStatus>>,
}

/// The pipe from one of the child's two outputs.
struct OutputPipe {
    /// `None` once it is closed.
    pipe: RefCell<Option<Rc<Output>>>,
    paused: Cell<bool>,
}

impl OutputPipe {
    #[inline]
    fn new(pipe: Option<Output>) -> Self {
        OutputPipe {
            pipe: RefCell::new(pipe.map(Rc::new)),
            paused: Cell::new(false),
        }
    }

    #[inline]
    fn is_open(&self) -> bool {
        self.pipe.borrow().is_some()
    }

    #[inline]
    fn close(&self) {
        let pipe = self.pipe.take();
        drop(pipe);
    }
}

impl CallbackTransport for Subprocess {
    type Protocol = dyn SubprocessProtocol;

    #[inline]
    fn life(&self) -> &Life {
        &self.life
    }

    #[inline]
    fn protocol(&self) -> &ProtocolCell<dyn SubprocessProtocol> {
        &self.protocol
    }

    #[inline]
    fn buffered(&self) -> usize {
        self.out.borrow().len()
    }

    #[inline]
    fn poll_step(&self, cx: &mut Context<'_>) -> Poll<()> {
        let more = [1, 2].map(|fd| self.receive(fd, cx));
        self.flush(cx);
        self.poll_exit(cx);
        if self.life.is_broken() || self.is_over() {
            return Poll::Ready(());
        }
        if more.contains(&true) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Closes all pipes, and kills the child if it still runs.
    #[inline]
    fn discard(&self) {
        drop(self.out.take());
        self.close_stdin();
        self.outputs.iter().for_each(OutputPipe::close);
        // If the system refuses, the child runs on until it ends by itself.
        let _ = self.running.send_signal(system::KILL);
    }

    #[inline]
    fn release(&self) {
        let exit = self.exit.take();
        drop(exit);
    }
}

impl Subprocess {
    #[inline]
    pub(super) fn new(
        of: LoopHandle,
        mut child: Child,
        protocol: Box<dyn SubprocessProtocol>,
    ) -> Rc<Self> {
        let (running, waiting) = (child.running.clone(), child.running.clone());
        let stdin = child.stdin.take();
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let has_pipe = [stdin.is_some(), out.is_some(), err.is_some()];
        let id = child.id().unwrap_or_default();
        child.keep_running();
        Rc::new(Subprocess {
            life: Life::new(of),
            protocol: ProtocolCell::new(protocol),
            running,
            id,
            stdin: RefCell::new(stdin.map(Rc::new)),
            outputs: [
                OutputPipe::new(out.map(|pipe| pipe.0)),
                OutputPipe::new(err.map(|pipe| pipe.0)),
            ],
            out: RefCell::default(),
            eof: Cell::new(false),
            has_pipe: has_pipe.map(Cell::new),
            exit: RefCell::new(Some(Box::pin(async move { waiting.wait().await }))),
            status: Cell::new(None),
        })
    }

    /// Closes all pipes and kills the child; the callbacks for that come from the driver.
    #[inline]
    pub(super) fn close(&self) {
        if self.life.close() {
            self.discard();
            self.life.wake();
        }
    }

    #[inline]
    fn is_over(&self) -> bool {
        self.exit.borrow().is_none() && !self.has_pipe.iter().any(Cell::get)
    }

    #[inline]
    fn lose_pipe(&self, fd: usize, error: Option<io::Error>) {
        self.has_pipe[fd].set(false);
        self.call(|protocol| protocol.pipe_connection_lost(fd as u32, error));
    }

    #[inline]
    fn poll_exit(&self, cx: &mut Context<'_>) {
        if self.life.is_broken() {
            return;
        }
        let polled = self
            .exit
            .borrow_mut()
            .as_mut()
            .map(|exit| exit.as_mut().poll(cx));
        let Some(Poll::Ready(ended)) = polled else {
            return;
        };
        self.release();
        match ended {
            Ok(status) => self.status.set(Some(status)),
            Err(error) => self.life.set_error(error),
        }
        self.call(|protocol| protocol.process_exited());
    }
}

// ---- the outputs of the child ----

impl Subprocess {
    #[inline]
    fn output(&self, fd: u32) -> Option<&OutputPipe> {
        self.outputs.get(fd.checked_sub(1)? as usize)
    }

    /// Whether a pipe to, or from, this descriptor of the child is open.
    #[inline]
    pub(super) fn has_open(&self, fd: u32) -> bool {
        match self.output(fd) {
            Some(output) => output.is_open(),
            None => fd == 0 && self.stdin.borrow().is_some(),
        }
    }

    #[inline]
    pub(super) fn pause_reading(&self, fd: u32) {
        if let Some(output) = self.output(fd) {
            output.paused.set(true);
        }
    }

    #[inline]
    pub(super) fn resume_reading(&self, fd: u32) {
        if let Some(output) = self.output(fd) {
            output.paused.set(false);
            self.life.wake();
        }
    }

    /// Closes a pipe: one that the child writes to at once, its standard input after the bytes that
    /// wait.
    #[inline]
    pub(super) fn close_pipe(&self, fd: u32) {
        match self.output(fd) {
            Some(output) => output.close(),
            None => self.eof.set(true),
        }
        self.life.wake();
    }

    /// Reads once, so that a busy child cannot delay other tasks; gives whether there may be more.
    #[inline]
    fn receive(&self, fd: usize, cx: &mut Context<'_>) -> bool {
        if !self.has_pipe[fd].get() || self.life.is_broken() {
            return false;
        }
        let output = &self.outputs[fd - 1];
        let pipe = output.pipe.borrow().clone();
        let read = match pipe {
            None => Some(Poll::Ready(Ok(0))), // closed by the transport
            Some(_) if output.paused.get() => None,
            Some(pipe) => self.call(|protocol| {
                let mut buffer = self.life.of().lend_buffer();
                let len = ready!(pipe.poll_read(cx, &mut buffer))?;
                if len > 0 {
                    protocol.pipe_data_received(fd as u32, &buffer[..len]);
                }
                Poll::Ready(Ok(len))
            }),
        };
        match read {
            None | Some(Poll::Pending) => return false,
            Some(Poll::Ready(Ok(len))) if len > 0 => return true,
            Some(Poll::Ready(ended)) => {
                output.close();
                self.lose_pipe(fd, ended.err());
            }
        }
        false
    }
}

// ---- the input of the child ----

impl Subprocess {
    /// Whether the child's standard input is closed, or will be after the bytes that wait.
    #[inline]
    pub(super) fn is_input_closing(&self) -> bool {
        self.eof.get() || self.stdin.borrow().is_none()
    }

    #[inline]
    fn close_stdin(&self) {
        let stdin = self.stdin.take();
        drop(stdin);
    }

    /// Writes as many bytes as go at once, and keeps the rest for the driver.
    #[inline]
    pub(super) fn write(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.is_input_closing() {
            return self.life.ignore_write();
        }
        // This is no wait: a step that has used its budget up writes all the same.
        let written = budget::unlimited(|| self.write_now(bytes));
        if written < bytes.len() {
            self.out.borrow_mut().push(&bytes[written..]);
            self.life.wake();
            self.note_waiting();
        }
    }

    /// An error is left to the driver, whose write fails alike.
    #[inline]
    fn write_now(&self, bytes: &[u8]) -> usize {
        let stdin = self.stdin.borrow().clone();
        match (stdin, self.life.waker_here()) {
            (Some(stdin), Some(waker)) if self.out.borrow().is_empty() => {
                match stdin.poll_write(&Context::from_waker(waker), bytes) {
                    Poll::Ready(Ok(written)) => written,
                    Poll::Ready(Err(_)) | Poll::Pending => 0,
                }
            }
            _ => 0,
        }
    }

    /// Writes the bytes that wait, then closes the pipe if the transport has asked for that.
    #[inline]
    fn flush(&self, cx: &mut Context<'_>) {
        if !self.has_pipe[0].get() || self.life.is_broken() {
            return;
        }
        match self.poll_flush(cx) {
            Poll::Pending => self.note_waiting(),
            Poll::Ready(ended) => {
                self.close_stdin();
                drop(self.out.take());
                self.lose_pipe(0, ended.err());
            }
        }
    }

    /// Ready when no more bytes have to be written, or none can be.
    #[inline]
    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(stdin) = self.stdin.borrow().clone() else {
            return Poll::Ready(Ok(())); // closed by the transport
        };
        let mut out = self.out.borrow_mut(); // no callback runs meanwhile
        while !out.is_empty() {
            let written = out.with_slices(|slices| stdin.poll_write_vectored(cx, slices));
            let written = ready!(written)?;
            out.advance(written);
        }
        match self.eof.get() {
            true => Poll::Ready(Ok(())),
            false => stdin.poll_broken(cx).map(Ok),
        }
    }
}
