//! Streams in memory: `duplex` with a buffer, `lockstep_pair` without one.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures::io::{AsyncRead, AsyncWrite};

/// One end of a stream in memory, made by [`duplex`] or [`lockstep_pair`].
///
/// It reads and writes by the traits of `futures::io`. Dropping or closing it ends the other end's
/// reading, after the bytes that are buffered. Once it is dropped, the other end's writing gives
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe).
pub struct DuplexStream {
    incoming: Rc<RefCell<OneWay>>,
    outgoing: Rc<RefCell<OneWay>>,
}

/// One of the two directions.
struct OneWay {
    bytes: VecDeque<u8>,
    room: Room,
    is_ended: bool,
    has_reader: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// How many bytes may be on their way.
enum Room {
    Capacity(usize),
    /// As many as a reader waits for; none while no reader waits.
    Wanted(usize),
}

/// A pair of connected streams in memory, with a buffer of `capacity` bytes in each direction.
///
/// For tests of code that takes any stream. It needs no loop, and may be used with any executor. A
/// write waits while the buffer is full.
///
/// ```
/// use coro::testing::duplex;
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// #[coro::test]
/// async fn greets() -> std::io::Result<()> {
///     let (mut here, mut there) = duplex(64);
///     here.write_all(b"hello").await?;
///     drop(here);
///     let mut text = String::new();
///     there.read_to_string(&mut text).await?;
///     assert_eq!(text, "hello");
///     Ok(())
/// }
/// ```
///
/// # Panics
///
/// If `capacity` is 0: no byte could ever pass. [`lockstep_pair`] has no buffer.
#[track_caller]
pub fn duplex(capacity: usize) -> (DuplexStream, DuplexStream) {
    assert!(
        capacity > 0,
        "duplex(0) could pass no byte: give it a capacity, or use lockstep_pair()"
    );
    pair(|| Room::Capacity(capacity))
}

/// A pair of connected streams in memory without a buffer: bytes pass only while the other end waits
/// for them.
///
/// A write waits until the other end reads, and then passes at most as many bytes as that read has
/// room for. So it is the hardest stream for a protocol: a program that writes before the other end
/// reads, and expects to go on, waits for ever, which a simulation reports as a deadlock. The
/// counterpart of Trio's `lockstep_stream_pair`.
///
/// ```
/// use coro::testing::lockstep_pair;
/// use futures::{AsyncReadExt, AsyncWriteExt};
///
/// #[coro::test]
/// async fn a_write_waits_for_its_reader() -> std::io::Result<()> {
///     let (mut here, mut there) = lockstep_pair();
///     let write = async { here.write(b"hello").await.unwrap() };
///     let read = async {
///         let mut buffer = [0; 2];
///         there.read(&mut buffer).await.unwrap()
///     };
///     assert_eq!(coro::gather((write, read)).await, (2, 2));
///     Ok(())
/// }
/// ```
pub fn lockstep_pair() -> (DuplexStream, DuplexStream) {
    pair(|| Room::Wanted(0))
}

fn pair(room: impl Fn() -> Room) -> (DuplexStream, DuplexStream) {
    let direction = || Rc::new(RefCell::new(OneWay::new(room())));
    let (one, other) = (direction(), direction());
    let here = DuplexStream {
        incoming: one.clone(),
        outgoing: other.clone(),
    };
    let there = DuplexStream {
        incoming: other,
        outgoing: one,
    };
    (here, there)
}

impl OneWay {
    fn new(room: Room) -> Self {
        OneWay {
            bytes: VecDeque::new(),
            room,
            is_ended: false,
            has_reader: true,
            reader: None,
            writer: None,
        }
    }

    /// How many more bytes may be written now.
    fn free(&self) -> usize {
        match self.room {
            Room::Capacity(capacity) => capacity - self.bytes.len(),
            Room::Wanted(wanted) => wanted,
        }
    }

    fn read(&mut self, buffer: &mut [u8], waker: &Waker) -> Poll<usize> {
        if let Room::Wanted(wanted) = &mut self.room {
            *wanted = if self.bytes.is_empty() {
                buffer.len()
            } else {
                0
            };
        }
        if self.bytes.is_empty() && !self.is_ended && !buffer.is_empty() {
            self.reader = Some(waker.clone());
            return Poll::Pending;
        }
        let len = buffer.len().min(self.bytes.len());
        for (place, byte) in buffer.iter_mut().zip(self.bytes.drain(..len)) {
            *place = byte;
        }
        Poll::Ready(len)
    }

    fn write(&mut self, bytes: &[u8], waker: &Waker) -> Poll<io::Result<usize>> {
        if self.is_ended || !self.has_reader {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let len = bytes.len().min(self.free());
        if len == 0 && !bytes.is_empty() {
            self.writer = Some(waker.clone());
            return Poll::Pending;
        }
        self.bytes.extend(&bytes[..len]);
        if let Room::Wanted(wanted) = &mut self.room {
            *wanted = 0;
        }
        Poll::Ready(Ok(len))
    }
}

/// Wakes a waiter after the borrow of its direction has ended: a waker is foreign code.
fn wake(direction: &RefCell<OneWay>, waiter: impl Fn(&mut OneWay) -> &mut Option<Waker>) {
    let waker = waiter(&mut direction.borrow_mut()).take();
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl AsyncRead for DuplexStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = self.incoming.borrow_mut().read(buffer, cx.waker());
        if self.incoming.borrow().free() > 0 {
            wake(&self.incoming, |direction| &mut direction.writer);
        }
        read.map(Ok)
    }
}

impl AsyncWrite for DuplexStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.outgoing.borrow_mut().write(bytes, cx.waker());
        if written.is_ready() {
            wake(&self.outgoing, |direction| &mut direction.reader);
        }
        written
    }

    /// Does nothing: the bytes are with the other end, or in the buffer between them.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.borrow_mut().is_ended = true;
        wake(&self.outgoing, |direction| &mut direction.reader);
        Poll::Ready(Ok(()))
    }
}

impl Drop for DuplexStream {
    fn drop(&mut self) {
        self.outgoing.borrow_mut().is_ended = true;
        self.incoming.borrow_mut().has_reader = false;
        wake(&self.outgoing, |direction| &mut direction.reader);
        wake(&self.incoming, |direction| &mut direction.writer);
    }
}

impl fmt::Debug for DuplexStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let buffered = |direction: &RefCell<OneWay>| direction.borrow().bytes.len();
        f.debug_struct("DuplexStream")
            .field("to_read", &buffered(&self.incoming))
            .field("written", &buffered(&self.outgoing))
            .finish()
    }
}
