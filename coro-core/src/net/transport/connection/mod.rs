//! The state of a connection, which its transport, its protocol and its driver share.
//!
//! Each direction is a machine of its own, whose transitions return duties:
//!
//! ```text
//!              pause                                      request_shutdown
//!   Open ◀──────────────▶ Paused                   Open ───────────────────▶ ShutdownRequested
//!    │ │      resume       │ │                                                │
//!    │ └─────────┬─────────┘ │                        all bytes were written, │ on_shut_down
//!    │ on_eof    │ stop      │ on_eof                 and so is the end       ▼
//!    ▼           ▼           ▼                                             ShutDown
//!   Eof ◀──── Discarding    Eof
//!       on_eof
//!
//!   ReadingHalf                                    WritingHalf
//! ```
//!
//! The life of the whole (see `callbacks/life.rs`) moves them:
//!
//! - `eof_received` answers `on_eof`; unless it keeps the connection, that is closed.
//! - `close` stops reading and requests the shutdown. When the writing half is shut down, the
//!   connection lingers: the reading half discards bytes until its `Eof`, until the other end is
//!   silent, or until a limit passes. A reading half that is at its `Eof` already needs no
//!   lingering. Then the connection is lost.
//! - `abort`, an error or a panic of the protocol stop reading, drop the bytes that wait, and wait
//!   for neither half.

mod life;
mod lingering;
mod reading;
#[cfg(feature = "tls")]
mod upgrading;
mod writing;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::Protocol;
use super::stream::Stream;
use crate::callbacks::{Life, Outgoing, ProtocolCell};
use crate::event_loop::LoopHandle;
use lingering::Lingering;
use reading::ReadingHalf;
use writing::WritingHalf;

/// Neither the stream nor the protocol is borrowed while the other is called: the protocol is taken
/// out of its cell for a call, and a stream that is busy counts as one that would block.
pub(super) struct Connection {
    life: Life,
    protocol: ProtocolCell<dyn Protocol>,
    /// Away for good once the connection is lost, and for a while when it is upgraded.
    stream: RefCell<Option<Box<dyn Stream>>>,
    reading: Cell<ReadingHalf>,
    writing: Cell<WritingHalf>,
    lingering: RefCell<Lingering>,
    out: RefCell<Outgoing>,
    /// The stream has bytes in a buffer of its own.
    unflushed: Cell<bool>,
    /// How many bytes were in `out` when the stream was taken away, and went with it.
    set_aside: Cell<usize>,
    /// Wakes the task that has taken the stream away, if the connection breaks.
    upgrader: Cell<Option<Waker>>,
    /// How many [`Transport`](super::Transport)s there are.
    handles: Cell<usize>,
    peer: Option<SocketAddr>,
}

impl Connection {
    #[inline]
    pub(super) fn new(
        of: LoopHandle,
        stream: Box<dyn Stream>,
        protocol: Box<dyn Protocol>,
        peer: Option<SocketAddr>,
    ) -> Rc<Self> {
        Rc::new(Connection {
            life: Life::new(of),
            protocol: ProtocolCell::new(protocol),
            stream: RefCell::new(Some(stream)),
            reading: Cell::new(ReadingHalf::Open),
            writing: Cell::new(WritingHalf::Open),
            lingering: RefCell::default(),
            out: RefCell::default(),
            unflushed: Cell::new(false),
            set_aside: Cell::new(0),
            upgrader: Cell::new(None),
            handles: Cell::new(0),
            peer,
        })
    }

    #[inline]
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    #[inline]
    pub(super) fn handles(&self) -> &Cell<usize> {
        &self.handles
    }

    /// Calls `f` with the stream, unless it is away or busy.
    pub(super) fn with_stream_ref<T>(&self, f: impl FnOnce(&dyn Stream) -> Option<T>) -> Option<T> {
        f(&**self.stream.try_borrow().ok()?.as_ref()?)
    }

    /// Calls `f` with the stream. A stream that is away, or busy, is not ready.
    fn with_stream<T>(&self, f: impl FnOnce(Pin<&mut dyn Stream>) -> Poll<T>) -> Poll<T> {
        match self.stream.try_borrow_mut().as_deref_mut() {
            Ok(Some(stream)) => f(Pin::new(&mut **stream)),
            _ => Poll::Pending,
        }
    }
}

/// Makes a transition of one half, and gives its duty.
fn change<H: Copy, D>(half: &Cell<H>, transition: impl FnOnce(&mut H) -> D) -> D {
    let mut state = half.get();
    let duty = transition(&mut state);
    half.set(state);
    duty
}
