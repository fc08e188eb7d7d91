//! The handlers of `SIGINT` that interrupt a run.
//!
//! A handler sets a flag, which the loop checks between turns. It also writes a byte to a socket
//! pair, to wake the loop; that byte is never read, because only its arrival makes an event for the
//! poller. If the flag is set already, a handler ends the process.

#[cfg(unix)]
pub(crate) use unix::{PRESSED, arm, prepare, take_pressed, wake};

#[cfg(not(unix))]
pub(crate) use fallback::{arm, prepare};

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, OnceLock};

    use signal_hook::SigId;
    use signal_hook::consts::SIGINT;
    use signal_hook::flag;
    use signal_hook::low_level::{pipe, unregister};

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
    pub(crate) fn wake() -> Option<BorrowedFd<'static>> {
        Some(PAIR.get()?.receiver.as_fd())
    }

    /// Clears the flag; gives whether it was set.
    pub(crate) fn take_pressed() -> bool {
        PRESSED.swap(false, Ordering::SeqCst)
    }

    /// Arms or disarms the handlers that set the flag; gives whether they are armed now.
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

    pub(crate) fn prepare() -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn arm(_: bool) -> bool {
        false
    }
}
