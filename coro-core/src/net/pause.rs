//! Back-off: for a listener that is out of descriptors, or an operation without readiness events.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::time::Duration;

use mio::event::Source;

use crate::event_loop::{Direction, LoopHandle};
use crate::report::{ErrorReport, ReportKind};
use crate::sys;
use crate::task::budget;
use crate::wait::ready::Ready;
use crate::wait::until::Until;

/// First and longest pause of a listener that has run out of descriptors.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// How many waits one that accepts a connection counts as, in the budget of a step: it takes about as
/// long as so many reads.
const ACCEPT: u32 = 8;

/// The next pause, while descriptors have run out.
#[derive(Default)]
pub(super) struct Pause(Cell<Option<Duration>>);

impl Pause {
    /// Accepts connections until one is accepted and made ready.
    pub(super) async fn accept<S: Source, A, C>(
        &self,
        listener: &Ready<S>,
        accept: impl Fn(&S) -> io::Result<A>,
        make: impl Fn(A) -> io::Result<C>,
    ) -> io::Result<C> {
        loop {
            let accepted = listener
                .io(Direction::Read, |io| self.try_accept(accept(io)))
                .await;
            match accepted.and_then(&make) {
                Ok(connection) => {
                    budget::take_more(ACCEPT - 1);
                    return Ok(connection);
                }
                Err(error) if sys::is_of_one_connection(&error) => {}
                Err(error) if sys::is_out_of_resources(&error) => self.back_off(&error).await,
                Err(error) => return Err(error),
            }
        }
    }

    fn try_accept<A>(&self, accepted: io::Result<A>) -> io::Result<A> {
        if matches!(&accepted, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            self.0.set(None); // the queue is empty: the shortage is over
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

/// First and longest delay between retries of an operation without readiness events.
#[cfg(unix)]
const RETRY_MIN: Duration = Duration::from_millis(1);
#[cfg(unix)]
const RETRY_MAX: Duration = Duration::from_millis(50);

/// Delays between retries, each longer than the last.
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
