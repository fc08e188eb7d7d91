//! A protocol in its place, called one callback at a time.

use std::cell::Cell;
use std::io;

use super::{DatagramProtocol, Protocol};
use crate::event_loop::LoopHandle;
use crate::report::ReportKind;

/// Watermarks, as asyncio has them.
const HIGH: usize = 64 * 1024;
const LOW: usize = HIGH / 4;

/// What transports of all kinds say to their protocols.
pub(super) trait Callbacks: 'static {
    fn connection_lost(&mut self, error: Option<io::Error>);
    fn pause_writing(&mut self);
    fn resume_writing(&mut self);
}

/// What it takes to call a protocol: the loop to report to, and what ends when a callback panics.
pub(super) trait Host {
    fn of(&self) -> &LoopHandle;
    fn fail(&self, error: io::Error);
}

/// A protocol, and what it was told of writing.
///
/// It is taken out of its place for a call, so that nothing is borrowed while it runs: what would
/// call it meanwhile finds the place empty, and leaves the call to be made when it returns.
pub(super) struct ProtocolCell<P: ?Sized> {
    place: Cell<Option<Box<P>>>,
    /// The last call was made, or will be.
    is_lost: Cell<bool>,
    limits: Cell<Limits>,
    writing_paused: Cell<bool>,
    told_to_pause: Cell<bool>,
}

/// How many bytes may wait, and how few have to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) high: usize,
    pub(super) low: usize,
}

impl<P: ?Sized + Callbacks> ProtocolCell<P> {
    pub(super) fn new(protocol: Box<P>) -> Self {
        ProtocolCell {
            place: Cell::new(Some(protocol)),
            is_lost: Cell::new(false),
            limits: Cell::new(Limits::new(None, None)),
            writing_paused: Cell::new(false),
            told_to_pause: Cell::new(false),
        }
    }

    /// Calls the protocol, unless it is being called already; then tells it what the call has
    /// changed about writing.
    pub(super) fn call<T>(&self, host: &impl Host, f: impl FnOnce(&mut P) -> T) -> Option<T> {
        let output = self.call_once(host, f);
        self.tell_about_writing(host);
        output
    }

    fn call_once<T>(&self, host: &impl Host, f: impl FnOnce(&mut P) -> T) -> Option<T> {
        let mut protocol = self.place.take()?;
        let called = host
            .of()
            .contain(ReportKind::ProtocolPanicked, || f(&mut *protocol));
        self.put_back(host, protocol);
        match called {
            Ok(output) => Some(output),
            Err(message) => {
                let message = format!("the connection's protocol panicked: {message}");
                host.fail(io::Error::other(message));
                None
            }
        }
    }

    /// Ends a call: another protocol may have been set meanwhile.
    fn put_back(&self, host: &impl Host, protocol: Box<P>) {
        let other = self.place.take();
        if other.is_none() && !self.is_lost.get() {
            return self.place.set(Some(protocol));
        }
        self.place.set(other);
        let _ = host
            .of()
            .contain(ReportKind::DropPanicked, || drop(protocol));
    }

    /// From the next call on another protocol is called; it is told if writing is paused.
    pub(super) fn set(&self, host: &impl Host, protocol: Box<P>) {
        if self.is_lost.get() {
            return drop(protocol);
        }
        let before = self.place.replace(Some(protocol));
        self.told_to_pause.set(false);
        drop(before);
        self.tell_about_writing(host);
    }

    /// The protocol, for its last call. No other can be set after this.
    pub(super) fn take(&self) -> Option<Box<P>> {
        self.is_lost.set(true);
        self.place.take()
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits.get()
    }

    pub(super) fn set_limits(&self, limits: Limits) {
        self.limits.set(limits);
    }

    /// So many bytes wait to be written: calls `pause_writing` or `resume_writing` if that is above
    /// the high limit, or no more than the low one.
    pub(super) fn note_waiting(&self, host: &impl Host, bytes: usize) {
        let limits = self.limits.get();
        match self.writing_paused.get() {
            false if bytes > limits.high => self.writing_paused.set(true),
            true if bytes <= limits.low => self.writing_paused.set(false),
            _ => return,
        }
        self.tell_about_writing(host);
    }

    fn tell_about_writing(&self, host: &impl Host) {
        while self.told_to_pause.get() != self.writing_paused.get() {
            let pause = self.writing_paused.get();
            let told = self.call_once(host, |protocol| {
                self.told_to_pause.set(pause);
                match pause {
                    true => protocol.pause_writing(),
                    false => protocol.resume_writing(),
                }
            });
            if told.is_none() {
                return; // it is being called, which ends with this; or it has ended
            }
        }
    }
}

/// The last call, and the end of the protocol; should either panic, the other happens all the same.
pub(super) fn notify_lost<P: ?Sized + Callbacks>(
    of: &LoopHandle,
    mut protocol: Box<P>,
    error: Option<io::Error>,
) {
    let _ = of.contain(ReportKind::ProtocolPanicked, || {
        protocol.connection_lost(error);
    });
    let _ = of.contain(ReportKind::DropPanicked, || drop(protocol));
}

/// The last call of a protocol whose driver is dropped, as its loop ends: it is made if the loop
/// still calls anything.
pub(super) fn notify_lost_soon<P: ?Sized + Callbacks>(
    of: &LoopHandle,
    protocol: Option<Box<P>>,
    error: Option<io::Error>,
) {
    if let Some(protocol) = protocol.filter(|_| !of.is_closed()) {
        let of_it = of.clone();
        of.call_soon(move || notify_lost(&of_it, protocol, error));
    }
}

impl Limits {
    /// The limits that were given, and those that follow.
    ///
    /// # Panics
    ///
    /// If the low one is above the high one.
    pub(super) fn new(high: Option<usize>, low: Option<usize>) -> Self {
        let limits = match (high, low) {
            (None, None) => Limits {
                high: HIGH,
                low: LOW,
            },
            (None, Some(low)) => Limits {
                high: low.saturating_mul(4),
                low,
            },
            (Some(high), low) => Limits {
                high,
                low: low.unwrap_or(high / 4),
            },
        };
        assert!(
            limits.low <= limits.high,
            "the low limit of a write buffer, {}, is above the high one, {}: give a lower one",
            limits.low,
            limits.high
        );
        limits
    }
}

macro_rules! callbacks_of {
    ($($protocol:ty),*) => { $(
        impl Callbacks for $protocol {
            fn connection_lost(&mut self, error: Option<io::Error>) {
                <$protocol>::connection_lost(self, error);
            }

            fn pause_writing(&mut self) {
                <$protocol>::pause_writing(self);
            }

            fn resume_writing(&mut self) {
                <$protocol>::resume_writing(self);
            }
        }
    )* };
}

callbacks_of!(dyn Protocol, dyn DatagramProtocol);
