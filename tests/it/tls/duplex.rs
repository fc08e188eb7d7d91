//! A connection in memory, with the step or capacity that a test needs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures::io::{AsyncRead, AsyncWrite};

/// One end. Dropping it closes both directions.
pub(crate) struct Duplex {
    incoming: Rc<RefCell<Pipe>>,
    outgoing: Rc<RefCell<Pipe>>,
    /// The most bytes that one read or write moves.
    step: usize,
}

struct Pipe {
    bytes: VecDeque<u8>,
    capacity: usize,
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// Two ends, which move at most `step` bytes at once. Each direction buffers `capacity` bytes.
pub(crate) fn duplex(step: usize, capacity: usize) -> (Duplex, Duplex) {
    let pipe = || {
        Rc::new(RefCell::new(Pipe {
            bytes: VecDeque::new(),
            capacity,
            closed: false,
            reader: None,
            writer: None,
        }))
    };
    let (there, back) = (pipe(), pipe());
    let end = |incoming: &Rc<RefCell<Pipe>>, outgoing: &Rc<RefCell<Pipe>>| Duplex {
        incoming: incoming.clone(),
        outgoing: outgoing.clone(),
        step,
    };
    (end(&back, &there), end(&there, &back))
}

impl Duplex {
    /// How many bytes are on their way to the other end.
    pub(crate) fn unread(&self) -> usize {
        self.outgoing.borrow().bytes.len()
    }

    /// Sends bytes to the other end that do not come from this end's user.
    pub(crate) fn inject(&self, bytes: &[u8]) {
        self.outgoing.borrow_mut().bytes.extend(bytes);
        wake(&self.outgoing, |pipe| pipe.reader.take());
    }
}

fn wake(pipe: &RefCell<Pipe>, take: fn(&mut Pipe) -> Option<Waker>) {
    let waker = take(&mut pipe.borrow_mut());
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn close(pipe: &RefCell<Pipe>) {
    pipe.borrow_mut().closed = true;
    wake(pipe, |pipe| pipe.reader.take());
    wake(pipe, |pipe| pipe.writer.take());
}

impl Drop for Duplex {
    fn drop(&mut self) {
        close(&self.incoming);
        close(&self.outgoing);
    }
}

impl AsyncRead for Duplex {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = self.incoming.borrow_mut();
        let len = buffer.len().min(self.step).min(pipe.bytes.len());
        if len == 0 && !pipe.closed {
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        for (slot, byte) in buffer.iter_mut().zip(pipe.bytes.drain(..len)) {
            *slot = byte;
        }
        drop(pipe);
        wake(&self.incoming, |pipe| pipe.writer.take());
        Poll::Ready(Ok(len))
    }
}

impl AsyncWrite for Duplex {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = self.outgoing.borrow_mut();
        if pipe.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = pipe.capacity.saturating_sub(pipe.bytes.len());
        let len = bytes.len().min(self.step).min(room);
        if len == 0 {
            pipe.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.bytes.extend(&bytes[..len]);
        drop(pipe);
        wake(&self.outgoing, |pipe| pipe.reader.take());
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        close(&self.outgoing);
        Poll::Ready(Ok(()))
    }
}
