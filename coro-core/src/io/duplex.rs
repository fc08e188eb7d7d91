//! `DuplexStream`: one end of a connection in memory.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use futures_io::{AsyncRead, AsyncWrite};

use crate::task::budget;
use crate::wait::queue::wake_each;

/// Makes a connection in memory, and gives its two ends. Each direction holds up to `capacity` bytes
/// that were written and not read yet.
///
/// The ends behave as those of a [`UnixStream::pair`](crate::net::UnixStream::pair): a read takes what is there, or waits; a write
/// takes as many bytes as there is room for, or waits until there is some. They need no descriptor and
/// no event loop, so that protocols and libraries can be tried against each other under a virtual
/// clock, at any speed.
///
/// ```
/// use coro::io::{AsyncReadExt, AsyncWriteExt, duplex};
///
/// coro::run(async {
///     let (mut client, mut server) = duplex(4);
///     let send = async {
///         client.write_all(b"more than four").await?;
///         client.close().await
///     };
///     let mut text = String::new();
///     let (sent, read) = coro::gather((send, server.read_to_string(&mut text))).await;
///     sent?;
///     assert_eq!((read?, text.as_str()), (14, "more than four"));
///     std::io::Result::Ok(())
/// })
/// # .unwrap();
/// ```
///
/// # Panics
///
/// If the capacity is zero, through which no byte would ever pass.
#[track_caller]
#[inline]
pub fn duplex(capacity: usize) -> (DuplexStream, DuplexStream) {
    assert!(
        capacity > 0,
        "a connection that holds no byte passes none: give duplex() a capacity of at least 1"
    );
    pair(|| Room::Capacity(capacity))
}

/// A connection without a buffer, for tests: bytes pass only while the other end waits for them.
#[inline]
pub(crate) fn lockstep() -> (DuplexStream, DuplexStream) {
    pair(|| Room::Wanted(0))
}

fn pair(room: impl Fn() -> Room) -> (DuplexStream, DuplexStream) {
    let (there, back) = (OneWay::new(room()), OneWay::new(room()));
    let client = DuplexStream {
        incoming: back.clone(),
        outgoing: there.clone(),
    };
    let server = DuplexStream {
        incoming: there,
        outgoing: back,
    };
    (client, server)
}

/// One end of a connection in memory; made by [`duplex`], or by `testing::lockstep_pair`.
///
/// It reads and writes by the traits of `futures::io`, and so does a shared reference to it. Any
/// number of tasks may wait. Dropping a read or a write loses nothing. Closing it ends writing; then
/// the other end reads its end, after all that was written, and this one still reads. Dropping it ends
/// both directions.
///
/// Writing fails with [`BrokenPipe`](ErrorKind::BrokenPipe) after it was closed, and when the other
/// end was dropped. Bytes that the other end had not read by then are dropped.
pub struct DuplexStream {
    incoming: Rc<RefCell<OneWay>>,
    outgoing: Rc<RefCell<OneWay>>,
}

/// One direction.
struct OneWay {
    bytes: VecDeque<u8>,
    room: Room,
    /// No more bytes will be written.
    is_ended: bool,
    /// No more bytes will be read.
    is_abandoned: bool,
    readers: Vec<Waker>,
    writers: Vec<Waker>,
}

/// How many bytes may be on their way.
#[derive(Clone, Copy)]
enum Room {
    Capacity(usize),
    /// As many as a reader waits for; none while no reader waits.
    Wanted(usize),
}

impl OneWay {
    #[inline]
    fn new(room: Room) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(OneWay {
            bytes: VecDeque::new(),
            room,
            is_ended: false,
            is_abandoned: false,
            readers: Vec::new(),
            writers: Vec::new(),
        }))
    }

    /// How many more bytes may be written now.
    #[inline]
    fn free(&self) -> usize {
        match self.room {
            Room::Capacity(capacity) => capacity - self.bytes.len(),
            Room::Wanted(wanted) => wanted,
        }
    }

    /// Makes room for a reader that begins to wait, if there is no buffer. Returns the writers that
    /// may write now.
    #[inline]
    fn want(&mut self, len: usize) -> Vec<Waker> {
        match &mut self.room {
            Room::Capacity(_) => Vec::new(),
            Room::Wanted(wanted) => {
                *wanted = len;
                std::mem::take(&mut self.writers)
            }
        }
    }
}

/// Registers a waiter that is woken with all others at the next change.
///
/// The waker is cloned and compared by the caller's code, so nothing is borrowed meanwhile.
#[inline]
fn wait(way: &RefCell<OneWay>, of: fn(&mut OneWay) -> &mut Vec<Waker>, cx: &Context<'_>) {
    let mut waiting = std::mem::take(of(&mut way.borrow_mut()));
    if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
        waiting.push(cx.waker().clone());
    }
    of(&mut way.borrow_mut()).append(&mut waiting);
}

#[inline]
fn wake(wakers: Vec<Waker>) {
    let mut wakers = wakers.into_iter();
    wake_each(|| wakers.next());
}

impl DuplexStream {
    /// Has `take` read at most `len_max` of the bytes that have come, which it gets in two pieces, in
    /// order.
    fn poll_take(
        &self,
        cx: &mut Context<'_>,
        len_max: usize,
        take: impl FnOnce(&[u8], &[u8]) -> usize,
    ) -> Poll<io::Result<usize>> {
        let way = &*self.incoming;
        let is_over = way.borrow().is_ended;
        if way.borrow().bytes.is_empty() && !is_over {
            wait(way, |way| &mut way.readers, cx);
            let writers = way.borrow_mut().want(len_max);
            wake(writers);
            return Poll::Pending;
        }
        ready!(budget::poll(cx));
        let (taken, writers) = {
            let mut way = way.borrow_mut();
            let (first, second) = way.bytes.as_slices();
            let taken = take(first, second);
            way.bytes.drain(..taken);
            match taken {
                0 => (0, Vec::new()),
                taken => (taken, std::mem::take(&mut way.writers)),
            }
        };
        wake(writers);
        Poll::Ready(Ok(taken))
    }

    /// Has `put` append bytes, up to the number that it gets.
    fn poll_put(
        &self,
        cx: &mut Context<'_>,
        put: impl FnOnce(&mut VecDeque<u8>, usize) -> usize,
    ) -> Poll<io::Result<usize>> {
        let way = &*self.outgoing;
        let (is_broken, room) = {
            let way = way.borrow();
            let is_broken = way.is_ended || way.is_abandoned;
            (is_broken, way.free())
        };
        if is_broken {
            return Poll::Ready(Err(self.broken()));
        }
        if room == 0 {
            wait(way, |way| &mut way.writers, cx);
            return Poll::Pending;
        }
        ready!(budget::poll(cx));
        let (written, readers) = {
            let mut way = way.borrow_mut();
            let written = put(&mut way.bytes, room);
            if let Room::Wanted(wanted) = &mut way.room {
                *wanted = 0;
            }
            (written, std::mem::take(&mut way.readers))
        };
        wake(readers);
        Poll::Ready(Ok(written))
    }

    #[inline]
    fn broken(&self) -> io::Error {
        let text = match self.outgoing.borrow().is_abandoned {
            true => "the other end of the connection was dropped",
            false => "the connection was closed for writing here",
        };
        io::Error::new(ErrorKind::BrokenPipe, text)
    }

    #[inline]
    fn end_writing(&self) {
        let (readers, writers) = {
            let mut way = self.outgoing.borrow_mut();
            way.is_ended = true;
            let way = &mut *way;
            (
                std::mem::take(&mut way.readers),
                std::mem::take(&mut way.writers),
            )
        };
        wake(readers);
        wake(writers); // other tasks of this end, which learn that it is closed
    }

    #[inline]
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.poll_take(cx, buffer.len(), |first, second| {
            read(first, second, buffer)
        })
    }

    #[inline]
    fn poll_read_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        if buffers.iter().all(|buffer| buffer.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        let len = buffers.iter().map(|buffer| buffer.len()).sum();
        self.poll_take(cx, len, |mut first, mut second| {
            let mut taken = 0;
            for buffer in buffers {
                let len = read(first, second, buffer);
                let of_first = len.min(first.len());
                (first, second) = (&first[of_first..], &second[len - of_first..]);
                taken += len;
            }
            taken
        })
    }

    #[inline]
    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    #[inline]
    fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if slices.iter().all(|slice| slice.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        self.poll_put(cx, |into, room| {
            let mut left = room;
            for slice in slices {
                let len = slice.len().min(left);
                into.extend(&slice[..len]);
                left -= len;
            }
            room - left
        })
    }
}

/// Copies as much of two pieces as the buffer takes.
#[inline]
fn read(first: &[u8], second: &[u8], buffer: &mut [u8]) -> usize {
    let of_first = first.len().min(buffer.len());
    let of_second = second.len().min(buffer.len() - of_first);
    buffer[..of_first].copy_from_slice(&first[..of_first]);
    buffer[of_first..of_first + of_second].copy_from_slice(&second[..of_second]);
    of_first + of_second
}

/// Implements the traits alike for the stream and for a shared reference to it.
macro_rules! by_traits {
    ($($stream:ty),*) => { $(
        impl AsyncRead for $stream {
            #[inline]
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                DuplexStream::poll_read(&self, cx, buffer)
            }

            #[inline]
            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                DuplexStream::poll_read_vectored(&self, cx, buffers)
            }
        }

        impl AsyncWrite for $stream {
            #[inline]
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                DuplexStream::poll_write(&self, cx, bytes)
            }

            #[inline]
            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                DuplexStream::poll_write_vectored(&self, cx, slices)
            }

            #[inline]
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            /// Ends writing, so the other end reads its end.
            #[inline]
            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.end_writing();
                Poll::Ready(Ok(()))
            }
        }
    )* };
}

by_traits!(DuplexStream, &DuplexStream);

impl Drop for DuplexStream {
    #[inline]
    fn drop(&mut self) {
        let (unread, writers) = {
            let mut way = self.incoming.borrow_mut();
            way.is_abandoned = true;
            let way = &mut *way;
            (
                std::mem::take(&mut way.bytes),
                std::mem::take(&mut way.writers),
            )
        };
        drop(unread);
        wake(writers);
        self.end_writing();
    }
}

impl fmt::Debug for DuplexStream {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DuplexStream")
            .field("to_read", &self.incoming.borrow().bytes.len())
            .field("to_write", &self.outgoing.borrow().bytes.len())
            .finish()
    }
}
