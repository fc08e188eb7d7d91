//! Pauses of a listener that cannot accept for now, or of a sender that finds a queue full.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::time::Duration;

use mio::event::Source;

use crate::event_loop::{Direction, LoopHandle};
use crate::report::{ErrorReport, ReportKind};
use crate::sys::{AcceptFailure, Described, IS_EDGE_TRIGGERED, accept_failure};
use crate::task::{Step, budget, looking};
use crate::wait::ready::RegisteredIo;
use crate::wait::until::Until;

/// First and longest pause of a listener that cannot accept for now.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A listener pauses after this number of failures of single connections in a row: a system that
/// forbids all connections would otherwise be asked without end, and no other task would run.
const SKIPPED_MAX: u32 = 64;

/// The number of waits that accepting a connection counts as, in the budget of a step: it takes about
/// as long as that number of reads.
const ACCEPT: u32 = 8;

/// The state of a listener that accepts.
#[derive(Default)]
pub(super) struct Pause {
    /// The next pause, while it cannot accept.
    next: Cell<Option<Duration>>,
    /// Connections have come faster than they were accepted, since an accept last found none.
    in_burst: Cell<bool>,
}

impl Pause {
    /// Accepts connections until one is accepted and made ready.
    ///
    /// It fails only if the listener no longer listens. An accept that finds no connection costs a
    /// third of one that does. So the queue is looked at before the second accept after an event, by
    /// `has_empty_queue`, which says "no" if it cannot tell; in a burst this look would be in vain.
    pub(super) async fn accept<S: Source + Described, A, C>(
        &self,
        listener: &RegisteredIo<S>,
        accept: impl Fn(&S) -> io::Result<A>,
        has_empty_queue: impl Fn(&S) -> bool,
        make: impl Fn(A) -> io::Result<C>,
    ) -> io::Result<C> {
        let mut skipped = 0;
        loop {
            let accepted = listener
                .io(Direction::Read, |io| self.try_accept(accept(io)))
                .await;
            let error = match accepted {
                Ok(accepted) => match make(accepted) {
                    Ok(connection) => {
                        budget::take_more(ACCEPT - 1);
                        self.look_for_more(listener, has_empty_queue);
                        return Ok(connection);
                    }
                    Err(error) => error, // of the poller: it says nothing of the listener
                },
                Err(error) => match accept_failure(&error) {
                    AcceptFailure::OfListener => return Err(error),
                    AcceptFailure::OfConnection if skipped < SKIPPED_MAX => {
                        skipped += 1;
                        continue;
                    }
                    _ => error,
                },
            };
            skipped = 0;
            self.back_off(&error).await;
        }
    }

    fn look_for_more<S: Source + Described>(
        &self,
        listener: &RegisteredIo<S>,
        has_empty_queue: impl Fn(&S) -> bool,
    ) {
        if !IS_EDGE_TRIGGERED || self.in_burst.get() {
            return;
        }
        if has_empty_queue(listener.get()) {
            self.next.set(None);
            listener.note_drained(Direction::Read);
        } else {
            self.in_burst.set(true);
        }
    }

    fn try_accept<A>(&self, accepted: io::Result<A>) -> io::Result<A> {
        if matches!(&accepted, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            self.next.set(None); // the queue is empty: the shortage is over
            self.in_burst.set(false);
        }
        accepted
    }

    #[inline]
    async fn back_off(&self, error: &io::Error) {
        let pause = self.next.get().unwrap_or_else(|| {
            let message = format!("{error}; trying again until it can");
            LoopHandle::current().report(ErrorReport::new(ReportKind::AcceptPaused, message));
            PAUSE_MIN
        });
        self.next.set(Some((pause * 2).min(PAUSE_MAX)));
        pass(pause).await;
    }
}

/// First and longest delay between retries of an operation without readiness events.
#[cfg(unix)]
const RETRY_MIN: Duration = Duration::from_millis(1);
#[cfg(unix)]
const RETRY_MAX: Duration = Duration::from_millis(50);

/// Delays between retries, each longer than the last.
#[cfg(unix)]
pub(super) struct RetryDelay(Duration);

#[cfg(unix)]
impl Default for RetryDelay {
    #[inline]
    fn default() -> Self {
        RetryDelay(RETRY_MIN)
    }
}

#[cfg(unix)]
impl RetryDelay {
    #[inline]
    pub(super) async fn pause(&mut self) {
        pass(self.0).await;
        self.0 = (self.0 * 2).min(RETRY_MAX);
    }
}

#[inline]
async fn pass(time: Duration) {
    let mut until = Until::After(time);
    let step = || Step::During {
        operation: "pausing",
        object: "before another try".into(),
    };
    looking::shown(step, poll_fn(|cx| until.poll(cx))).await;
}
