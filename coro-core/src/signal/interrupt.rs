//! Ctrl-C while `run` runs: the first interrupts the run, the second ends the process.
//!
//! The handler sets a flag, which the loop checks between turns. It also writes a byte to a socket
//! pair, to wake the loop; that byte is never read, because only its arrival makes an event for the
//! poller. If the flag is set already, the handler ends the process. All of it is registered once
//! and stays registered: a run only tells `disposition` when it begins and ends. While the program
//! listens for Ctrl-C itself, the flag is not set.

#[cfg(not(unix))]
use fallback as platform;
#[cfg(unix)]
use unix as platform;

pub(crate) use platform::{Interrupt, end_process};
pub(super) use platform::{arm, prepare};

#[cfg(unix)]
mod unix {
    use std::io::{self, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::process;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, OnceLock};

    use signal_hook::SigId;
    use signal_hook::consts::SIGINT;
    use signal_hook::flag;
    use signal_hook::low_level::{emulate_default_handler, pipe, unregister};

    use super::super::disposition::Interruptible;
    use crate::event_loop::EventLoop;
    use crate::panics::unpoisoned;
    use crate::sys;

    /// Ctrl-C was pressed during the present run.
    static PRESSED: AtomicBool = AtomicBool::new(false);

    static PAIR: OnceLock<Pair> = OnceLock::new();

    struct Pair {
        receiver: UnixStream,
        sender: UnixStream,
        /// The handlers that set the flag and write the byte, in this order.
        armed: Mutex<Option<[SigId; 2]>>,
    }

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
            let wake = PAIR.get()?.receiver.as_fd();
            event_loop.interrupt_by(&PRESSED, wake).ok()?;
            Some(Interrupt { interruptible })
        }

        /// Ends the run; gives whether it was interrupted.
        pub(crate) fn end(self) -> bool {
            drop(self.interruptible); // first, so that a later Ctrl-C ends the process by itself
            PRESSED.swap(false, Ordering::SeqCst)
        }
    }

    /// Ends the process as the signal would have done.
    pub(crate) fn end_process() -> ! {
        let _ = io::stdout().flush(); // the process ends in any case
        let _ = emulate_default_handler(SIGINT);
        process::exit(128 + SIGINT)
    }

    /// Prepares the flag, the socket pair and the handler; only the first run has to make the
    /// latter two.
    pub(in super::super) fn prepare() -> io::Result<()> {
        PRESSED.store(false, Ordering::SeqCst);
        if PAIR.get().is_some() {
            return Ok(());
        }
        let (receiver, sender) = UnixStream::pair()?;
        flag::register_conditional_default(SIGINT, &PRESSED)?;
        let armed = Mutex::new(None);
        let _ = PAIR.set(Pair {
            receiver,
            sender,
            armed,
        });
        Ok(())
    }

    /// Arms or disarms the handlers that set the flag; gives whether they are armed now.
    pub(in super::super) fn arm(arm: bool) -> bool {
        let Some(pair) = PAIR.get() else { return false };
        let mut armed = unpoisoned(pair.armed.lock());
        if !arm {
            for handler in armed.take().into_iter().flatten() {
                unregister(handler);
            }
        } else if armed.is_none() {
            *armed = register(&pair.sender).ok();
        }
        armed.is_some()
    }

    fn register(sender: &UnixStream) -> io::Result<[SigId; 2]> {
        let sender = sender.try_clone()?;
        let sets_flag = flag::register(SIGINT, &PRESSED)?;
        let writes = pipe::register(SIGINT, sender).inspect_err(|_| {
            unregister(sets_flag);
        })?;
        Ok([sets_flag, writes])
    }
}

#[cfg(not(unix))]
mod fallback {
    use std::io;

    use crate::event_loop::EventLoop;

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

    pub(crate) fn end_process() -> ! {
        std::process::exit(130)
    }

    pub(in super::super) fn prepare() -> io::Result<()> {
        Ok(())
    }

    pub(in super::super) fn arm(_: bool) -> bool {
        false
    }
}
