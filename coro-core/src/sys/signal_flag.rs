//! `SignalFlag`: a signal that wakes a loop and sets a flag, without a task that listens.

use std::cell::Cell;
use std::ffi::c_int;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::SigId;
use signal_hook::consts::FORBIDDEN;
pub(crate) use signal_hook::consts::SIGQUIT;
use signal_hook::flag;
use signal_hook::low_level::{pipe, unregister};

use super::disposition;

/// How many bytes one read takes: each signal that was not looked at has left one.
const BYTES: usize = 1024;

/// Set by each signal of its kind, until it is closed.
pub(crate) struct SignalFlag {
    came: Arc<AtomicBool>,
    receiver: UnixStream,
    handlers: Cell<Option<[SigId; 2]>>,
}

impl SignalFlag {
    /// Takes the default action from the signal, for the rest of the process: whether this flag still
    /// exists when a signal comes, its sender cannot know.
    #[inline]
    pub(crate) fn new(signal: c_int) -> io::Result<Self> {
        if FORBIDDEN.contains(&signal) {
            let message = format!("signal {signal} cannot be listened for");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let (receiver, sender) = UnixStream::pair()?;
        receiver.set_nonblocking(true)?;
        disposition::take_default(signal)?;
        let came = Arc::new(AtomicBool::new(false));
        // The flag first: the byte wakes a loop that looks at it.
        let sets_flag = flag::register(signal, came.clone())?;
        let writes = pipe::register(signal, sender).inspect_err(|_| {
            unregister(sets_flag);
        })?;
        Ok(SignalFlag {
            came,
            receiver,
            handlers: Cell::new(Some([sets_flag, writes])),
        })
    }

    /// Becomes readable with each signal.
    #[inline]
    pub(crate) fn wake(&self) -> BorrowedFd<'_> {
        self.receiver.as_fd()
    }

    /// Whether a signal has come since this was asked last.
    #[inline]
    pub(crate) fn take(&self) -> bool {
        self.came.load(Ordering::Relaxed) && self.take_all()
    }

    #[cold]
    #[inline]
    fn take_all(&self) -> bool {
        self.came.store(false, Ordering::SeqCst);
        let mut receiver = &self.receiver;
        while receiver
            .read(&mut [0; BYTES])
            .is_ok_and(|read| read == BYTES)
        {}
        true
    }
}

impl SignalFlag {
    /// Removes the handlers: no further signal sets the flag.
    #[inline]
    pub(crate) fn close(&self) {
        for handler in self.handlers.take().into_iter().flatten() {
            unregister(handler);
        }
    }
}

impl Drop for SignalFlag {
    #[inline]
    fn drop(&mut self) {
        self.close();
    }
}
