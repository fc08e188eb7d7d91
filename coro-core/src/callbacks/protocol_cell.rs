//! A cell that holds a protocol, which is called one callback at a time.

use std::cell::Cell;
use std::io;

use super::write_limits::WriteLimits;
use crate::event_loop::LoopHandle;
use crate::report::ReportKind;

/// The callbacks that protocols of all kinds have.
pub(crate) trait Callbacks: 'static {
    fn connection_lost(&mut self, error: Option<io::Error>);
    fn pause_writing(&mut self);
    fn resume_writing(&mut self);
}

/// A protocol, with the state of its writing.
///
/// The protocol is taken out of the cell for a call, so that nothing is borrowed while it runs. A
/// call that is made meanwhile finds the cell empty, and is left to be made when the first returns.
pub(crate) struct ProtocolCell<P: ?Sized> {
    place: Cell<Option<Box<P>>>,
    /// The last call was made, or will be.
    is_lost: Cell<bool>,
    limits: Cell<WriteLimits>,
    writing_paused: Cell<bool>,
    told_to_pause: Cell<bool>,
}

impl<P: ?Sized + Callbacks> ProtocolCell<P> {
    pub(crate) fn new(protocol: Box<P>) -> Self {
        ProtocolCell {
            place: Cell::new(Some(protocol)),
            is_lost: Cell::new(false),
            limits: Cell::new(WriteLimits::new(None, None)),
            writing_paused: Cell::new(false),
            told_to_pause: Cell::new(false),
        }
    }

    /// Calls the protocol. A panic is reported and given as an error; `None` if the protocol is
    /// being called already, or was called for the last time.
    pub(super) fn call<T>(
        &self,
        of: &LoopHandle,
        f: impl FnOnce(&mut P) -> T,
    ) -> Option<io::Result<T>> {
        let mut protocol = self.place.take()?;
        let called = of.contain(ReportKind::ProtocolPanicked, || f(&mut *protocol));
        self.put_back(of, protocol);
        Some(called.map_err(|message| {
            io::Error::other(format!("the connection's protocol panicked: {message}"))
        }))
    }

    /// Ends a call. If another protocol was set meanwhile, this one is dropped.
    fn put_back(&self, of: &LoopHandle, protocol: Box<P>) {
        let other = self.place.take();
        if other.is_none() && !self.is_lost.get() {
            return self.place.set(Some(protocol));
        }
        self.place.set(other);
        let _ = of.contain(ReportKind::DropPanicked, || drop(protocol));
    }

    /// Sets another protocol, unless the last call was made. The next call of `pause_or_resume`
    /// tells it if writing is paused.
    pub(super) fn set(&self, protocol: Box<P>) {
        if self.is_lost.get() {
            return drop(protocol);
        }
        let before = self.place.replace(Some(protocol));
        self.told_to_pause.set(false);
        drop(before);
    }

    /// Takes the protocol for its last call. No other can be set after this.
    pub(super) fn take(&self) -> Option<Box<P>> {
        self.is_lost.set(true);
        self.place.take()
    }

    pub(super) fn limits(&self) -> WriteLimits {
        self.limits.get()
    }

    pub(super) fn set_limits(&self, limits: WriteLimits) {
        self.limits.set(limits);
    }

    /// Pauses or resumes writing, if the number of bytes that wait has crossed a limit.
    pub(super) fn note_waiting(&self, bytes: usize) {
        let paused = self.writing_paused.get();
        self.writing_paused
            .set(self.limits.get().is_paused(paused, bytes));
    }

    /// Whether the protocol knows that writing is paused, or that it is not.
    pub(super) fn knows_of_pause(&self) -> bool {
        self.told_to_pause.get() == self.writing_paused.get()
    }

    /// Calls `pause_writing` or `resume_writing`.
    pub(super) fn pause_or_resume(&self, of: &LoopHandle) -> Option<io::Result<()>> {
        let pause = self.writing_paused.get();
        self.call(of, |protocol| {
            self.told_to_pause.set(pause);
            match pause {
                true => protocol.pause_writing(),
                false => protocol.resume_writing(),
            }
        })
    }
}

/// Implements [`Callbacks`] for a `dyn` type of protocols.
macro_rules! callbacks_of {
    ($protocol:ty) => {
        impl $crate::callbacks::Callbacks for $protocol {
            #[inline]
            fn connection_lost(&mut self, error: Option<std::io::Error>) {
                <$protocol>::connection_lost(self, error);
            }

            #[inline]
            fn pause_writing(&mut self) {
                <$protocol>::pause_writing(self);
            }

            #[inline]
            fn resume_writing(&mut self) {
                <$protocol>::resume_writing(self);
            }
        }
    };
}

pub(crate) use callbacks_of;
