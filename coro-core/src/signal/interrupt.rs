//! `Interrupt`: a run that the first Ctrl-C interrupts; the second ends the process.
//!
//! The handlers are registered once, and stay registered: a run only tells `sys::disposition` when it
//! begins and ends. While the program listens for Ctrl-C itself, no run is interrupted.

#[cfg(not(unix))]
use fallback as platform;
#[cfg(unix)]
use unix as platform;

pub(crate) use platform::{Interrupt, end_process};

#[cfg(unix)]
mod unix {
    use std::io::{self, Write};
    use std::process;

    use signal_hook::low_level::emulate_default_handler;

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
        pub(crate) fn watch(event_loop: &EventLoop) -> Option<Self> {
            if !sys::is_main_thread() {
                return None;
            }
            let interruptible = Interruptible::new().ok()??;
            let wake = sigint::wake()?;
            event_loop.interrupt_by(&sigint::PRESSED, wake).ok()?;
            Some(Interrupt { interruptible })
        }

        /// Ends the run; gives whether it was interrupted.
        pub(crate) fn end(self) -> bool {
            drop(self.interruptible); // first, so that a later Ctrl-C ends the process by itself
            sigint::take_pressed()
        }
    }

    /// Ends the process as the signal would have done.
    pub(crate) fn end_process(by: SignalKind) -> ! {
        let _ = io::stdout().flush(); // the process ends in any case
        let _ = emulate_default_handler(by.as_raw());
        process::exit(128 + by.as_raw())
    }
}

#[cfg(not(unix))]
mod fallback {
    use crate::event_loop::EventLoop;
    use crate::signal::SignalKind;

    /// Ctrl-C ends the process at once.
    pub(crate) struct Interrupt;

    impl Interrupt {
        pub(crate) fn watch(_: &EventLoop) -> Option<Self> {
            None
        }

        pub(crate) fn end(self) -> bool {
            false
        }
    }

    pub(crate) fn end_process(by: SignalKind) -> ! {
        std::process::exit(128 + by.as_raw())
    }
}
