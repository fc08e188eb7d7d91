//! The state of a connection, which its transport, its protocol and its driver share.

#[cfg(feature = "tls")]
mod upgrading;
mod writing;

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures::io::{AsyncRead, AsyncWrite};

use super::outgoing::Outgoing;
use super::protocol_cell::{Host, ProtocolCell, notify_lost, notify_lost_soon};
use super::{Protocol, Transport};
use crate::event_loop::LoopHandle;
use crate::report::ReportKind;

/// Anything that reads and writes.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Any {}

impl<S: AsyncRead + AsyncWrite + Unpin + Any> Stream for S {}

impl dyn Stream {
    /// The stream itself, or whichever of those below it is an `S`.
    pub(super) fn find<S: 'static>(&self) -> Option<&S> {
        let stream: &dyn Any = self;
        #[cfg(feature = "tls")]
        if let Some(below) = super::plain_stream::below(stream) {
            return stream.downcast_ref().or_else(|| below.find());
        }
        stream.downcast_ref()
    }
}

/// Neither the stream nor the protocol is borrowed while the other is called: the protocol is taken
/// out of its place for a call, and a stream that is busy counts as one that would block.
pub(super) struct Connection {
    of: LoopHandle,
    /// Away for good once the connection is lost, and for a while when it is upgraded.
    stream: RefCell<Option<Box<dyn Stream>>>,
    protocol: ProtocolCell<dyn Protocol>,
    /// Of the driver, once that has begun.
    waker: OnceCell<Waker>,
    phase: Cell<Phase>,
    error: Cell<Option<io::Error>>,
    reading_paused: Cell<bool>,
    read_end: Cell<bool>,
    write_end: Cell<End>,
    out: RefCell<Outgoing>,
    /// The stream has bytes in a buffer of its own.
    unflushed: Cell<bool>,
    /// How many bytes were in `out` when the stream was taken away, and went with it.
    set_aside: Cell<usize>,
    /// Who has taken the stream away, and shall know if the connection breaks.
    upgrader: Cell<Option<Waker>>,
    ignored_writes: Cell<u32>,
    /// How many [`Transport`]s there are.
    handles: Cell<usize>,
    peer: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// What was written is still sent, and what is read is dropped.
    Closing,
    /// It broke, or was aborted: the driver ends it in its next step.
    Broken,
    Lost,
}

/// The end of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Unknown,
    Asked,
    Sent,
}

impl Connection {
    pub(super) fn new(
        of: LoopHandle,
        stream: Box<dyn Stream>,
        protocol: Box<dyn Protocol>,
        peer: Option<SocketAddr>,
    ) -> Rc<Self> {
        Rc::new(Connection {
            of,
            stream: RefCell::new(Some(stream)),
            protocol: ProtocolCell::new(protocol),
            waker: OnceCell::new(),
            phase: Cell::new(Phase::Open),
            error: Cell::new(None),
            reading_paused: Cell::new(false),
            read_end: Cell::new(false),
            write_end: Cell::new(End::Unknown),
            out: RefCell::default(),
            unflushed: Cell::new(false),
            set_aside: Cell::new(0),
            upgrader: Cell::new(None),
            ignored_writes: Cell::new(0),
            handles: Cell::new(0),
            peer,
        })
    }

    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    pub(super) fn handles(&self) -> &Cell<usize> {
        &self.handles
    }

    /// Has the driver take a step soon.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }
}

impl Host for Connection {
    fn of(&self) -> &LoopHandle {
        &self.of
    }

    /// Ends because of an error: the first one is the one that counts.
    fn fail(&self, error: io::Error) {
        if !matches!(self.phase.get(), Phase::Broken | Phase::Lost) {
            self.error.set(Some(error));
            self.abort();
        }
    }
}

// ---- the life of it ----

impl Connection {
    /// Calls the protocol; see [`ProtocolCell::call`].
    pub(super) fn call<T>(&self, f: impl FnOnce(&mut (dyn Protocol + 'static)) -> T) -> Option<T> {
        self.protocol.call(self, f)
    }

    /// Has another protocol called; see [`ProtocolCell::set`].
    pub(super) fn set_protocol(&self, protocol: Box<dyn Protocol>) {
        self.protocol.set(self, protocol);
    }

    /// Calls `connection_made`, from the driver's first step.
    pub(super) fn begin(self: &Rc<Self>, waker: &Waker) {
        let _ = self.waker.set(waker.clone());
        let transport = Transport::new_handle(self.clone());
        self.call(|protocol| protocol.connection_made(&transport));
    }

    pub(super) fn is_made(&self) -> bool {
        self.waker.get().is_some()
    }

    pub(super) fn is_closing(&self) -> bool {
        self.phase.get() != Phase::Open
    }

    /// Sends what was written, and then ends.
    pub(super) fn close(&self) {
        if self.phase.get() == Phase::Open {
            self.phase.set(Phase::Closing);
            self.ask_end();
            self.wake();
        }
    }

    /// Ends without sending what was written.
    pub(super) fn abort(&self) {
        if !matches!(self.phase.get(), Phase::Broken | Phase::Lost) {
            self.phase.set(Phase::Broken);
            self.drop_out();
            self.wake();
            self.wake_upgrader();
        }
    }

    /// Closes a connection with which nobody can do anything any more: it does not read, and has no
    /// [`Transport`].
    pub(super) fn close_if_forgotten(&self) {
        if self.handles.get() == 0 && !self.is_reading() {
            self.close();
        }
    }

    /// Whether nothing is left to be done but to call `connection_lost`.
    pub(super) fn is_over(&self) -> bool {
        match self.phase.get() {
            Phase::Open => false,
            Phase::Closing => self.out.borrow().is_empty() && self.write_end.get() == End::Sent,
            Phase::Broken | Phase::Lost => true,
        }
    }

    /// Whether the end of the other end is waited for once all that was written is sent: unless it
    /// has come, or the connection was cut, or there is nothing to lose by closing it.
    pub(super) fn lingers(&self) -> bool {
        let is_closing = self.phase.get() == Phase::Closing;
        is_closing && !self.read_end.get() && !self.only_reads()
    }

    /// Whether nothing can be written to the stream, so that closing it loses nothing.
    fn only_reads(&self) -> bool {
        #[cfg(unix)]
        return self
            .with_stream_ref(|stream| stream.find().map(|_: &super::pipe::ReadPipe| ()))
            .is_some();
        #[cfg(not(unix))]
        false
    }

    /// Calls `connection_lost`, then closes the stream.
    pub(super) fn lose(&self) {
        self.phase.set(Phase::Lost);
        let error = self.error.take();
        if let Some(protocol) = self.protocol.take() {
            notify_lost(&self.of, protocol, error);
        }
        self.drop_stream();
    }

    /// The driver is dropped before the connection has ended, as its loop ends: `connection_lost`
    /// is called if the loop still calls anything.
    pub(super) fn cut(&self) {
        if self.phase.replace(Phase::Lost) == Phase::Lost {
            return;
        }
        self.drop_out();
        self.drop_stream();
        notify_lost_soon(&self.of, self.protocol.take(), self.error.take());
        self.wake_upgrader();
    }

    fn drop_out(&self) {
        drop(self.out.take());
        self.set_aside.set(0);
    }

    fn wake_upgrader(&self) {
        if let Some(upgrader) = self.upgrader.take() {
            upgrader.wake();
        }
    }

    fn drop_stream(&self) {
        let stream = self.stream.try_borrow_mut().map(|mut stream| stream.take());
        let _ = self.of.contain(ReportKind::DropPanicked, || drop(stream));
    }
}

// ---- reading ----

impl Connection {
    pub(super) fn is_reading(&self) -> bool {
        self.phase.get() == Phase::Open && !self.reading_paused.get() && !self.read_end.get()
    }

    pub(super) fn pause_reading(&self) {
        self.reading_paused.set(true);
    }

    pub(super) fn resume_reading(&self) {
        if self.reading_paused.replace(false) {
            self.wake();
        }
    }

    /// Reads by `read`; one who waits so is woken by the waker of `cx`.
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.with_stream(|stream| stream.poll_read(cx, buffer))
    }

    /// Calls `f` with the stream, unless it is away or busy.
    pub(super) fn with_stream_ref<T>(&self, f: impl FnOnce(&dyn Stream) -> Option<T>) -> Option<T> {
        f(&**self.stream.try_borrow().ok()?.as_ref()?)
    }

    /// Calls `f` with the stream; one that is away, or busy, is not ready.
    fn with_stream<T>(&self, f: impl FnOnce(Pin<&mut dyn Stream>) -> Poll<T>) -> Poll<T> {
        match self.stream.try_borrow_mut().as_deref_mut() {
            Ok(Some(stream)) => f(Pin::new(&mut **stream)),
            _ => Poll::Pending,
        }
    }

    /// The other end sends no more.
    pub(super) fn take_end(&self) {
        self.read_end.set(true);
        if self.call(|protocol| protocol.eof_received()) == Some(false) {
            self.close();
        }
    }
}
