//! The poller elsewhere than on Linux: mio's own, in milliseconds rounded up.

use std::io;
use std::time::Duration;

use super::Readiness;

/// Events taken from the system in one look.
const EVENTS: usize = 512;

pub(crate) struct Poller {
    poll: mio::Poll,
    events: mio::Events,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Poller {
            poll: mio::Poll::new()?,
            events: mio::Events::with_capacity(EVENTS),
        })
    }

    pub(crate) fn registry(&self) -> &mio::Registry {
        self.poll.registry()
    }

    /// Waits for events, for `timeout` at the longest; `None` waits until one comes.
    ///
    /// It may return early and without an event, as after a signal; it gives whether there are any.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(false)
            }
            other => other.map(|()| !self.events.is_empty()),
        }
    }

    /// The events of the last wait.
    pub(crate) fn events(&self) -> impl Iterator<Item = (mio::Token, Readiness)> {
        self.events
            .iter()
            .map(|event| (event.token(), readiness(event)))
    }
}

fn readiness(event: &mio::event::Event) -> Readiness {
    let broken = event.is_error();
    Readiness {
        read: broken || event.is_readable() || event.is_read_closed(),
        write: broken || event.is_writable() || event.is_write_closed(),
        read_closed: broken || event.is_read_closed(),
        write_closed: broken || event.is_write_closed(),
    }
}

/// Linux alone delays a thread's timers unless asked not to.
pub(crate) struct PreciseWaits;

impl PreciseWaits {
    pub(crate) fn begin() -> Self {
        PreciseWaits
    }
}
