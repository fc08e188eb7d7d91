//! `SharedStream`: the stream of a connection, between hyper and the task that serves it.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures::io::{AsyncRead, AsyncWrite};
use hyper::rt;

use super::activity::Activity;
use crate::event_loop::{LoopHandle, OnLoop};

/// An answer of up to this length is written as one piece. Copying it costs less than to have the
/// system gather its parts.
const WHOLE_MAX: usize = 4 * 1024;

/// A stream with the [`Activity`] of its connection, in one allocation: both are needed for every
/// request, and with many connections each is to be fetched from memory.
pub(super) struct SharedStream<T> {
    pub(super) activity: Activity,
    /// How many may still use the stream: hyper, and the task that serves it.
    users: Cell<u8>,
    /// Absent once both are done with it, or it was taken out.
    stream: RefCell<Option<T>>,
}

impl<T> SharedStream<T> {
    fn leave(&self) {
        self.users.set(self.users.get() - 1);
        if self.users.get() == 0 {
            let stream = self.stream.take();
            drop(stream);
        }
    }
}

/// A request that has begun and is not answered in full.
pub(super) struct InFlight<T>(Rc<SharedStream<T>>);

impl<T> InFlight<T> {
    pub(super) fn new(connection: &Rc<SharedStream<T>>) -> Self {
        connection.activity.begin();
        InFlight(connection.clone())
    }

    /// Reports an error of the service.
    pub(super) fn report(&self, error: &(dyn Error + 'static)) {
        self.0.activity.report(error);
    }
}

impl<T> Drop for InFlight<T> {
    fn drop(&mut self) {
        self.0.activity.end();
    }
}

/// The stream, as the task has it that serves the connection.
pub(super) struct ServedStream<T>(Rc<SharedStream<T>>);

impl<T> ServedStream<T> {
    /// A connection that has just begun.
    pub(super) fn new(stream: T) -> Self {
        ServedStream(Rc::new(SharedStream {
            activity: Activity::new(LoopHandle::current()),
            users: Cell::new(1),
            stream: RefCell::new(Some(stream)),
        }))
    }

    pub(super) fn shared(&self) -> &Rc<SharedStream<T>> {
        &self.0
    }

    /// The stream as hyper uses it, which reads `first` before all else.
    pub(super) fn for_hyper(&self, first: Vec<u8>) -> OnLoop<HyperStream<T>>
    where
        T: 'static,
    {
        self.0.users.set(self.0.users.get() + 1);
        OnLoop::new(HyperStream {
            shared: self.0.clone(),
            first: Some(Box::new(FirstBytes {
                bytes: first,
                taken: 0,
            })),
        })
    }

    /// Takes the stream out, if hyper is done with it; after an upgrade it is not.
    pub(super) fn take(&self) -> Option<T> {
        match self.0.users.get() {
            1 => self.0.stream.take(),
            _ => None,
        }
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>>
    where
        T: AsyncRead + Unpin,
    {
        with(&self.0.stream, |stream| stream.poll_read(cx, buffer))
    }
}

impl<T> Drop for ServedStream<T> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Calls `f` with a stream that is there.
#[inline]
fn with<T: Unpin, R>(stream: &RefCell<Option<T>>, f: impl FnOnce(Pin<&mut T>) -> R) -> R {
    let mut stream = stream.borrow_mut();
    f(Pin::new(
        stream.as_mut().expect("a stream while it is used"),
    ))
}

/// The bytes that were read to learn the version, and how many of them were read again.
struct FirstBytes {
    bytes: Vec<u8>,
    taken: usize,
}

/// The stream, as hyper has it. Its reads are told to the [`Activity`].
pub(super) struct HyperStream<T> {
    shared: Rc<SharedStream<T>>,
    first: Option<Box<FirstBytes>>,
}

impl<T> Drop for HyperStream<T> {
    fn drop(&mut self) {
        self.shared.leave();
    }
}

impl<T> HyperStream<T> {
    #[cold]
    fn read_first(&mut self, mut into: rt::ReadBufCursor<'_>) {
        let Some(first) = &mut self.first else { return };
        let rest = &first.bytes[first.taken..];
        let len = rest.len().min(into.remaining());
        into.put_slice(&rest[..len]);
        first.taken += len;
        if first.taken == first.bytes.len() {
            self.first = None;
        }
    }
}

// hyper asks for `Send` streams, for the sake of upgrades. The traits are its own, and not those of
// `futures` with an adapter around, since they are called three times a request.
impl<T: AsyncRead + Unpin> rt::Read for OnLoop<HyperStream<T>> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut **self.get_mut();
        if this.first.is_some() {
            this.read_first(into);
            return Poll::Ready(Ok(()));
        }
        let shared = &*this.shared;
        let mut through = shared.activity.handle().lend_buffer();
        let len = through.len().min(into.remaining());
        let read = ready!(with(&shared.stream, |stream| {
            stream.poll_read(cx, &mut through[..len])
        }))?;
        into.put_slice(&through[..read]);
        shared.activity.note_read(read);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> rt::Write for OnLoop<HyperStream<T>> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        with(&self.shared.stream, |stream| stream.poll_write(cx, bytes))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let shared = &*self.shared;
        let len = slices.iter().map(|slice| slice.len()).sum();
        with(&shared.stream, |stream| {
            if len > WHOLE_MAX {
                return stream.poll_write_vectored(cx, slices);
            }
            let mut whole = shared.activity.handle().lend_buffer();
            let mut filled = 0;
            for slice in slices {
                whole[filled..filled + slice.len()].copy_from_slice(slice);
                filled += slice.len();
            }
            stream.poll_write(cx, &whole[..len])
        })
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with(&self.shared.stream, |stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with(&self.shared.stream, |stream| stream.poll_close(cx))
    }
}
