//! The driver: a task that runs a child with its protocol.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::ExitStatus;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::protocol::SubprocessProtocol;
use super::transport::{Shared, SubprocessTransport};

/// The limits of asyncio's transports.
const HIGH: usize = 64 * 1024;
const LOW: usize = 16 * 1024;

/// As many bytes as a pipe holds.
const BUFFER_LEN: usize = 64 * 1024;

type Exit = Pin<Box<dyn Future<Output = io::Result<ExitStatus>>>>;

/// The future of a child's task. The loop owns it, and so the protocol.
pub(super) struct Driver<P: SubprocessProtocol> {
    protocol: P,
    transport: SubprocessTransport,
    shared: Rc<Shared>,
    /// `None` once the child has ended.
    exit: Option<Exit>,
    /// Whether the protocol still has to be told of the loss of each pipe.
    has_pipe: [bool; 3],
    is_writing_paused: bool,
    /// The error with which the exit status was lost.
    error: Option<io::Error>,
    /// The protocol is being called; stays true if a callback panicked.
    calling: bool,
    /// `connection_lost` was called.
    is_lost: bool,
    buffer: Box<[u8]>,
}

impl<P: SubprocessProtocol> Driver<P> {
    pub(super) fn new(protocol: P, transport: SubprocessTransport) -> Self {
        let shared = transport.shared().clone();
        let running = shared.running.clone();
        let [out, err] = [0, 1].map(|n| shared.outputs[n].pipe.borrow().is_some());
        let has_pipe = [shared.stdin.borrow().is_some(), out, err];
        Driver {
            protocol,
            transport,
            shared,
            exit: Some(Box::pin(async move { running.wait().await })),
            has_pipe,
            is_writing_paused: false,
            error: None,
            calling: false,
            is_lost: false,
            buffer: vec![0; BUFFER_LEN].into(),
        }
    }

    fn call<T>(&mut self, callback: impl FnOnce(&mut P) -> T) -> T {
        self.calling = true;
        let value = callback(&mut self.protocol);
        self.calling = false;
        value
    }

    fn begin(&mut self) {
        self.shared.made.set(true);
        let transport = self.transport.clone();
        self.call(|protocol| protocol.connection_made(&transport));
    }

    fn lose_pipe(&mut self, fd: usize, error: Option<io::Error>) {
        self.has_pipe[fd] = false;
        self.call(|protocol| protocol.pipe_connection_lost(fd as u32, error));
    }

    /// Reads once, so that a busy child cannot delay other tasks; gives whether there may be more.
    fn receive(&mut self, fd: usize, cx: &mut Context<'_>) -> bool {
        if !self.has_pipe[fd] {
            return false;
        }
        let output = &self.shared.outputs[fd - 1];
        let pipe = output.pipe.borrow().clone();
        let read = match pipe {
            None => Poll::Ready(Ok(0)), // closed by the transport
            Some(_) if output.paused.get() => Poll::Pending,
            Some(pipe) => pipe.poll_read(cx, &mut self.buffer),
        };
        let error = match read {
            Poll::Pending => return false,
            Poll::Ready(Ok(0)) => None,
            Poll::Ready(Ok(len)) => {
                self.calling = true;
                let data = &self.buffer[..len];
                self.protocol.pipe_data_received(fd as u32, data);
                self.calling = false;
                return true;
            }
            Poll::Ready(Err(error)) => Some(error),
        };
        let pipe = output.pipe.take();
        drop(pipe);
        self.lose_pipe(fd, error);
        false
    }

    /// Writes the outgoing bytes, then closes the pipe if the transport has asked for that.
    fn send(&mut self, cx: &mut Context<'_>) {
        if !self.has_pipe[0] {
            return;
        }
        if let Poll::Ready(ended) = self.poll_send(cx) {
            let stdin = self.shared.stdin.take();
            drop(stdin);
            drop(self.shared.outgoing.take());
            self.lose_pipe(0, ended.err());
        }
    }

    /// Ready when no more bytes have to be written, or none can be.
    fn poll_send(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(stdin) = self.shared.stdin.borrow().clone() else {
            return Poll::Ready(Ok(())); // closed by the transport
        };
        let mut outgoing = self.shared.outgoing.take(); // no callback runs before it is put back
        let polled = loop {
            if outgoing.is_empty() {
                break match self.shared.eof.get() {
                    true => Poll::Ready(Ok(())),
                    false => stdin.poll_broken(cx).map(Ok),
                };
            }
            match stdin.poll_write(cx, outgoing.as_slices().0) {
                Poll::Ready(Ok(len)) => drop(outgoing.drain(..len)),
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
        };
        self.shared.outgoing.replace(outgoing);
        polled
    }

    fn control_writing(&mut self) {
        let waiting = self.shared.outgoing.borrow().len();
        if !self.is_writing_paused && waiting > HIGH {
            self.is_writing_paused = true;
            self.call(P::pause_writing);
        } else if self.is_writing_paused && waiting <= LOW && self.has_pipe[0] {
            self.is_writing_paused = false;
            self.call(P::resume_writing);
        }
    }

    fn look_for_exit(&mut self, cx: &mut Context<'_>) {
        let Some(exit) = &mut self.exit else {
            return;
        };
        let Poll::Ready(ended) = exit.as_mut().poll(cx) else {
            return;
        };
        self.exit = None;
        match ended {
            Ok(status) => self.shared.status.set(Some(status)),
            Err(error) => self.error = Some(error),
        }
        self.call(P::process_exited);
    }

    /// Calls `connection_lost`, if `connection_made` was called and `connection_lost` was not.
    fn lose(&mut self) {
        let panicked = self.calling;
        self.shared.close();
        if self.is_lost || !self.shared.made.get() {
            return;
        }
        self.is_lost = true;
        let error = match panicked {
            true => Some(io::Error::other("the protocol panicked")),
            false => self.error.take(),
        };
        self.protocol.connection_lost(error);
    }

    fn is_over(&self) -> bool {
        self.exit.is_none() && self.has_pipe == [false; 3]
    }
}

impl<P: SubprocessProtocol> Unpin for Driver<P> {}

impl<P: SubprocessProtocol> Future for Driver<P> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driver = self.get_mut();
        let before = driver.shared.driver.replace(Some(cx.waker().clone()));
        drop(before);
        if !driver.shared.made.get() {
            driver.begin();
        }
        let mut more = driver.receive(1, cx);
        more |= driver.receive(2, cx);
        driver.send(cx);
        driver.control_writing();
        driver.look_for_exit(cx);
        if driver.is_over() {
            driver.lose();
            return Poll::Ready(());
        }
        if more {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<P: SubprocessProtocol> Drop for Driver<P> {
    /// Unless all was over, the loop was closed or the protocol has panicked.
    fn drop(&mut self) {
        self.lose();
    }
}
