//! Wakes the poller of a loop from another thread.

use std::io;

/// The token of a wake-up's event; no source is registered with it.
pub(crate) const WAKE_TOKEN: mio::Token = mio::Token(usize::MAX);

pub(crate) struct WakeUp {
    waker: mio::Waker,
}

impl WakeUp {
    #[inline]
    pub(crate) fn new(registry: &mio::Registry) -> io::Result<Self> {
        Ok(WakeUp {
            waker: mio::Waker::new(registry, WAKE_TOKEN)?,
        })
    }

    /// Makes the poller's wait return: the present one, or else the next.
    #[inline]
    pub(crate) fn wake(&self) {
        // It fails only if the counter is full, and then a wake-up is already pending.
        let _ = self.waker.wake();
    }
}
