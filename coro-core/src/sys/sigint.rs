//! The handlers of `SIGINT` that interrupt a run.
//!
//! A handler sets a flag, which the loop checks between turns. On Unix it also writes a byte to a
//! socket pair, to wake the loop; that byte is never read, because only its arrival makes an event for
//! the poller. On Windows a loop that can be interrupted wakes by itself from time to time. If the flag
//! is set already, a handler ends the process.

#[cfg(unix)]
pub(crate) use unix::{PRESSED, arm, end_process, prepare, take_pressed, wake};

#[cfg(not(unix))]
pub(crate) use fallback::{PRESSED, arm, end_process, prepare, take_pressed};

#[cfg(unix)]
mod unix {
    use std::ffi::c_int;
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, OnceLock};

    use signal_hook::SigId;
    use signal_hook::consts::SIGINT;
    use signal_hook::flag;
    use signal_hook::low_level::{emulate_default_handler, pipe, unregister};

    use crate::panics::unpoisoned;

    /// Ctrl-C was pressed during the present run.
    pub(crate) static PRESSED: AtomicBool = AtomicBool::new(false);

    static PAIR: OnceLock<Pair> = OnceLock::new();

    struct Pair {
        receiver: UnixStream,
        sender: UnixStream,
        /// The handlers that set the flag and write the byte, in this order.
        armed: Mutex<Option<[SigId; 2]>>,
    }

    /// Prepares the flag, the socket pair and the handler that ends the process; only the first run
    /// has to make the latter two.
    #[inline]
    pub(crate) fn prepare() -> io::Result<()> {
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

    /// Becomes readable with the first signal; `None` if nothing was prepared.
    #[inline]
    pub(crate) fn wake() -> Option<BorrowedFd<'static>> {
        Some(PAIR.get()?.receiver.as_fd())
    }

    /// Clears the flag; gives whether it was set.
    #[inline]
    pub(crate) fn take_pressed() -> bool {
        PRESSED.swap(false, Ordering::SeqCst)
    }

    /// Arms or disarms the handlers that set the flag; gives whether they are armed now.
    #[inline]
    pub(crate) fn arm(arm: bool) -> bool {
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

    #[inline]
    fn register(sender: &UnixStream) -> io::Result<[SigId; 2]> {
        let sender = sender.try_clone()?;
        let sets_flag = flag::register(SIGINT, &PRESSED)?;
        let writes = pipe::register(SIGINT, sender).inspect_err(|_| {
            unregister(sets_flag);
        })?;
        Ok([sets_flag, writes])
    }

    /// Ends the process as the signal would have done.
    #[inline]
    pub(crate) fn end_process(signal: c_int) -> ! {
        let _ = emulate_default_handler(signal);
        std::process::exit(128 + signal)
    }
}

#[cfg(not(unix))]
mod fallback {
    use std::ffi::c_int;
    use std::io;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use signal_hook::SigId;
    use signal_hook::consts::SIGINT;
    use signal_hook::flag;
    use signal_hook::low_level::unregister;

    use crate::panics::unpoisoned;

    /// Ctrl-C was pressed during the present run.
    pub(crate) static PRESSED: AtomicBool = AtomicBool::new(false);

    static HANDLERS: Mutex<Handlers> = Mutex::new(Handlers {
        is_prepared: false,
        armed: None,
    });

    struct Handlers {
        /// The handler that ends the process if the flag is set already was registered.
        is_prepared: bool,
        armed: Option<SigId>,
    }

    #[inline]
    pub(crate) fn prepare() -> io::Result<()> {
        PRESSED.store(false, Ordering::SeqCst);
        let mut handlers = unpoisoned(HANDLERS.lock());
        if !handlers.is_prepared {
            flag::register_conditional_default(SIGINT, &PRESSED)?;
            handlers.is_prepared = true;
        }
        Ok(())
    }

    /// Clears the flag; gives whether it was set.
    #[inline]
    pub(crate) fn take_pressed() -> bool {
        PRESSED.swap(false, Ordering::SeqCst)
    }

    /// Arms or disarms the handler that sets the flag; gives whether it is armed now.
    #[inline]
    pub(crate) fn arm(arm: bool) -> bool {
        let mut handlers = unpoisoned(HANDLERS.lock());
        if !arm {
            if let Some(handler) = handlers.armed.take() {
                unregister(handler);
            }
        } else if handlers.is_prepared && handlers.armed.is_none() {
            handlers.armed = flag::register(SIGINT, &PRESSED).ok();
        }
        handlers.armed.is_some()
    }

    /// Ends the process as the system does at a Ctrl-C that has no handler, or as the standard
    /// library of C does at another signal.
    #[inline]
    pub(crate) fn end_process(signal: c_int) -> ! {
        const STATUS_CONTROL_C_EXIT: i32 = 0xC000_013A_u32.cast_signed();
        std::process::exit(match signal {
            SIGINT => STATUS_CONTROL_C_EXIT,
            _ => 3,
        })
    }
}
