//! The poller on systems other than Linux: mio's own, which rounds timeouts up to milliseconds.

use std::io;
use std::time::Duration;

use crate::world::Readiness;

/// How many events one call takes from the system at most.
const EVENTS: usize = 512;

pub(crate) struct Poller {
    poll: mio::Poll,
    events: mio::Events,
}

impl Poller {
    #[inline]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Poller {
            poll: mio::Poll::new()?,
            events: mio::Events::with_capacity(EVENTS),
        })
    }

    #[inline]
    pub(crate) fn registry(&self) -> &mio::Registry {
        self.poll.registry()
    }

    /// Waits for events, for at most `timeout`; `None` waits until an event comes.
    ///
    /// It may return early without an event, as after a signal. Gives whether there are events.
    #[inline]
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(false)
            }
            other => other.map(|()| !self.events.is_empty()),
        }
    }

    /// Does nothing: only Linux delays a thread's timers by default.
    #[inline]
    pub(crate) fn end_waits(&mut self) {}

    /// The events of the last wait.
    #[inline]
    pub(crate) fn events(&self) -> impl Iterator<Item = (mio::Token, Readiness)> {
        self.events
            .iter()
            .map(|event| (event.token(), readiness(event)))
    }
}

#[inline]
fn readiness(event: &mio::event::Event) -> Readiness {
    let broken = event.is_error();
    Readiness {
        read: broken || event.is_readable() || event.is_read_closed(),
        write: broken || event.is_writable() || event.is_write_closed(),
        read_closed: broken || event.is_read_closed(),
        write_closed: broken || event.is_write_closed(),
    }
}
