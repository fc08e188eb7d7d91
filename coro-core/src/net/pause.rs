//! Pauses of a listener that cannot accept for now, or of a sender that finds a queue full.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::time::Duration;

use mio::event::Source;

use crate::event_loop::{Direction, LoopHandle};
use crate::report::{ErrorReport, ReportKind};
use crate::sys::{AcceptFailure, accept_failure};
use crate::wait::ready::Ready;
use crate::wait::until::Until;

/// How long a listener that cannot accept for now waits before it tries again, at first and at
/// most.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A listener pauses after this number of failures of single connections in a row: a system that
/// forbids them all would otherwise be asked without end, and no other task would have a turn.
const SKIPPED_MAX: u32 = 64;

/// The next pause of a listener, while it cannot accept.
#[derive(Default)]
pub(super) struct Pause(Cell<Option<Duration>>);

impl Pause {
    /// Accepts connections until one can be had and made of what was accepted.
    ///
    /// It fails only if the listener listens no more.
    pub(super) async fn accept<S: Source, A, C>(
        &self,
        listener: &Ready<S>,
        accept: impl Fn(&S) -> io::Result<A>,
        make: impl Fn(A) -> io::Result<C>,
    ) -> io::Result<C> {
        let mut skipped = 0;
        loop {
            let accepted = listener
                .io(Direction::Read, |io| self.try_accept(accept(io)))
                .await;
            let error = match accepted {
                Ok(accepted) => match make(accepted) {
                    Ok(connection) => return Ok(connection),
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

    fn try_accept<A>(&self, accepted: io::Result<A>) -> io::Result<A> {
        if matches!(&accepted, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            self.0.set(None); // whoever queued is in: the shortage is over
        }
        accepted
    }

    async fn back_off(&self, error: &io::Error) {
        let pause = self.0.get().unwrap_or_else(|| {
            let message = format!("{error}; trying again until it can");
            LoopHandle::current().report(ErrorReport::new(ReportKind::AcceptPaused, message));
            PAUSE_MIN
        });
        self.0.set(Some((pause * 2).min(PAUSE_MAX)));
        pass(pause).await;
    }
}

/// How long to wait before asking again whoever does not tell when to, at first and at most.
#[cfg(unix)]
const RETRY_MIN: Duration = Duration::from_millis(1);
#[cfg(unix)]
const RETRY_MAX: Duration = Duration::from_millis(50);

/// Tries again and again, ever more slowly.
#[cfg(unix)]
pub(super) struct Retry(Duration);

#[cfg(unix)]
impl Default for Retry {
    fn default() -> Self {
        Retry(RETRY_MIN)
    }
}

#[cfg(unix)]
impl Retry {
    pub(super) async fn pause(&mut self) {
        pass(self.0).await;
        self.0 = (self.0 * 2).min(RETRY_MAX);
    }
}

async fn pass(time: Duration) {
    let mut until = Until::After(time);
    poll_fn(|cx| until.poll(cx)).await;
}
