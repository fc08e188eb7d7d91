//! Wakes the poller of a loop from another thread.

use std::io;

/// The token under which a wake-up arrives; no source is given it.
pub(crate) const WAKE_TOKEN: mio::Token = mio::Token(usize::MAX);

pub(crate) struct WakeUp {
    waker: mio::Waker,
}

impl WakeUp {
    pub(crate) fn new(registry: &mio::Registry) -> io::Result<Self> {
        Ok(WakeUp {
            waker: mio::Waker::new(registry, WAKE_TOKEN)?,
        })
    }

    /// Makes the present or else the next wait of the poller return.
    pub(crate) fn wake(&self) {
        // It fails only when the counter is full, and then a wake-up is already on its way.
        let _ = self.waker.wake();
    }
}
