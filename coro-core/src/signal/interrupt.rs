//! `Interrupt`: a run that the first Ctrl-C interrupts; the second ends the process.
//!
//! The handlers are registered once, and stay registered: a run only tells `sys::disposition` when it
//! begins and ends. While the program listens for Ctrl-C itself, no run is interrupted.

use std::io::{self, Write};

use crate::event_loop::EventLoop;
use crate::signal::SignalKind;
use crate::sys::disposition::Interruptible;
use crate::sys::{self, sigint};

/// A run on the main thread, which Ctrl-C interrupts.
pub(crate) struct Interrupt {
    interruptible: Interruptible,
}

impl Interrupt {
    /// `None` on other threads than the main one, and in a program that handles or ignores
    /// Ctrl-C itself. If no descriptor is free, the system's default action remains.
    #[inline]
    pub(crate) fn watch(event_loop: &EventLoop) -> Option<Self> {
        if !sys::is_main_thread() {
            return None;
        }
        let interruptible = Interruptible::new().ok()??;
        #[cfg(unix)]
        event_loop
            .interrupt_by(&sigint::PRESSED, sigint::wake()?)
            .ok()?;
        #[cfg(not(unix))]
        event_loop.interrupt_by(&sigint::PRESSED);
        Some(Interrupt { interruptible })
    }

    /// Ends the run; gives whether it was interrupted.
    #[inline]
    pub(crate) fn end(self) -> bool {
        drop(self.interruptible); // first, so that a later Ctrl-C ends the process by itself
        sigint::take_pressed()
    }
}

/// Ends the process as the signal would have done.
#[inline]
pub(crate) fn end_process(by: SignalKind) -> ! {
    let _ = io::stdout().flush(); // the process ends in any case
    sigint::end_process(by.as_raw())
}
