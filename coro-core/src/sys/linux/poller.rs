//! The poller on Linux: mio registers sources, `epoll_pwait2` waits with nanosecond timeouts.

use std::io;
use std::time::Duration;

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

use super::precise::PreciseWaits;
use crate::world::Readiness;

/// How many events one call takes from the kernel at most.
const EVENTS: usize = 512;

pub(crate) struct Poller {
    poll: mio::Poll,
    events: Vec<epoll::Event>,
    /// The events that mio found. Those of the last wait are here or in `events`, never in both.
    found: mio::Events,
    precise: Option<PreciseWaits>,
}

impl Poller {
    #[inline]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Poller {
            poll: mio::Poll::new()?,
            events: Vec::with_capacity(EVENTS),
            found: mio::Events::with_capacity(EVENTS),
            precise: None,
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
        self.events.clear();
        self.found.clear();
        if timeout == Some(Duration::ZERO) {
            return self.wait_by_mio(timeout); // its `epoll_wait` takes half the time
        }
        let precise = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        if precise.is_some() && self.precise.is_none() {
            self.precise = Some(PreciseWaits::begin());
        }
        let buffer = rustix::buffer::spare_capacity(&mut self.events);
        match epoll::wait(self.poll.registry(), buffer, precise.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(!self.events.is_empty()),
            Err(Errno::NOSYS) => self.wait_by_mio(timeout), // before Linux 5.11
            Err(error) => Err(error.into()),
        }
    }

    /// The timeout is rounded up to milliseconds, so that no timer fires early.
    #[inline]
    fn wait_by_mio(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        match self.poll.poll(&mut self.found, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(false),
            other => other?,
        }
        Ok(!self.found.is_empty())
    }

    /// Leaves the thread as it was before the waits.
    #[inline]
    pub(crate) fn end_waits(&mut self) {
        self.precise = None;
    }

    /// The events of the last wait.
    #[inline]
    pub(crate) fn events(&self) -> impl Iterator<Item = (mio::Token, Readiness)> {
        let events = self.events.iter().map(|event| {
            let (flags, data) = (event.flags, event.data);
            (mio::Token(data.u64() as usize), readiness(flags))
        });
        let found = self.found.iter();
        events.chain(found.map(|event| (event.token(), readiness_by_mio(event))))
    }
}

#[inline]
fn readiness(flags: epoll::EventFlags) -> Readiness {
    use epoll::EventFlags as F;
    let broken = flags.intersects(F::HUP | F::ERR);
    Readiness {
        read: broken || flags.intersects(F::IN | F::PRI | F::RDHUP),
        write: broken || flags.intersects(F::OUT),
        read_closed: broken || flags.intersects(F::RDHUP),
        write_closed: broken,
    }
}

#[inline]
fn readiness_by_mio(event: &mio::event::Event) -> Readiness {
    let broken = event.is_error() || event.is_write_closed();
    Readiness {
        read: broken || event.is_readable() || event.is_read_closed(),
        write: broken || event.is_writable(),
        read_closed: broken || event.is_read_closed(),
        write_closed: broken,
    }
}
