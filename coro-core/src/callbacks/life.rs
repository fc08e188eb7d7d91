//! The life of a callback transport: which phase it is in, and the error that ends it.
//!
//! ```text
//!          close               finish
//!   Open ────────▶ Closing ──────────────▶ Lost
//!     │               │                     ▲
//!     └───────┬───────┘                     │
//!             │ break_off                   │
//!             ▼               finish        │
//!           Broken ─────────────────────────┘
//! ```
//!
//! A transport is *made* when its driver takes its first step, which calls `connection_made`. It
//! may be closed or aborted before that; `connection_made` is called all the same, so that every
//! `connection_lost` follows one. A driver that is dropped leads from every phase to `Lost`.

use std::cell::{Cell, OnceCell};
use std::future::poll_fn;
use std::io;
use std::task::{Poll, Waker};

use crate::event_loop::LoopHandle;
use crate::report::{ErrorReport, ReportKind};

/// The number of ignored writes at which a program is told of them, as in asyncio.
const IGNORED_WRITES: u32 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// The bytes that were written before are still sent.
    Closing,
    /// It failed, or was aborted: the driver ends it in its next step.
    Broken,
    Lost,
}

pub(crate) struct Life {
    of: LoopHandle,
    /// The waker of the driver's task, once that has taken its first step.
    driver: OnceCell<Waker>,
    phase: Cell<Phase>,
    /// The error that ended it.
    error: Cell<Option<io::Error>>,
    ignored_writes: Cell<u32>,
}

impl Life {
    #[inline]
    pub(crate) fn new(of: LoopHandle) -> Self {
        Life {
            of,
            driver: OnceCell::new(),
            phase: Cell::new(Phase::Open),
            error: Cell::new(None),
            ignored_writes: Cell::new(0),
        }
    }

    /// The loop that runs the driver.
    #[inline]
    pub(crate) fn of(&self) -> &LoopHandle {
        &self.of
    }

    /// Has the driver take a step soon.
    #[inline]
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.driver.get() {
            waker.wake_by_ref();
        }
    }

    /// The driver's waker, if this thread is inside of the loop, so that an operation can be tried
    /// at once, and the driver wait for it.
    #[inline]
    pub(crate) fn waker_here(&self) -> Option<&Waker> {
        self.driver.get().filter(|_| self.of.is_current())
    }

    #[inline]
    pub(super) fn set_made(&self, driver: &Waker) {
        let _ = self.driver.set(driver.clone());
    }

    /// Whether `connection_made` was called, or is being called.
    #[inline]
    pub(crate) fn is_made(&self) -> bool {
        self.driver.get().is_some()
    }

    /// Waits until `connection_made` was called.
    #[inline]
    pub(crate) async fn made(&self) {
        poll_fn(|cx| match self.is_made() {
            true => Poll::Ready(()),
            false => {
                cx.waker().wake_by_ref(); // the driver stands in the queue before this task
                Poll::Pending
            }
        })
        .await;
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.phase.get() == Phase::Open
    }

    /// Whether it is ending, or has ended.
    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        !self.is_open()
    }

    /// Whether nothing is left to do but to call `connection_lost`, or that was called.
    #[inline]
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.phase.get(), Phase::Broken | Phase::Lost)
    }

    /// Begins an orderly end. True if it was open: then the transport has to end its directions and
    /// to wake its driver.
    #[must_use = "a transport that begins to close ends its directions"]
    #[inline]
    pub(crate) fn close(&self) -> bool {
        let was_open = self.is_open();
        if was_open {
            self.phase.set(Phase::Closing);
        }
        was_open
    }

    /// Begins an end at once, with the first error that is given. True if that is new: then the
    /// transport has to drop the bytes that wait and to wake its driver.
    #[must_use = "a transport that breaks off drops the bytes that wait"]
    #[inline]
    pub(super) fn break_off(&self, error: Option<io::Error>) -> bool {
        let is_new = !self.is_broken();
        if is_new {
            self.phase.set(Phase::Broken);
            self.error.set(error);
        }
        is_new
    }

    /// Ends it. False if it had ended before.
    #[inline]
    pub(super) fn finish(&self) -> bool {
        self.phase.replace(Phase::Lost) != Phase::Lost
    }

    /// Sets the error that `connection_lost` is called with, unless another comes before the end.
    #[cfg_attr(not(unix), allow(dead_code, reason = "subprocesses alone have one"))]
    #[inline]
    pub(crate) fn set_error(&self, error: io::Error) {
        self.error.set(Some(error));
    }

    #[inline]
    pub(super) fn take_error(&self) -> Option<io::Error> {
        self.error.take()
    }

    /// Counts a write to a closing transport, which is ignored, and reports the fifth.
    #[inline]
    pub(crate) fn ignore_write(&self) {
        let ignored = self.ignored_writes.get().saturating_add(1);
        self.ignored_writes.set(ignored);
        if ignored == IGNORED_WRITES {
            let message = format!("{ignored} writes were ignored so far");
            self.of
                .report(ErrorReport::new(ReportKind::WriteIgnored, message));
        }
    }
}
