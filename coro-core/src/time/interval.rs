//! Intervals: ticks at regular times.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_core::stream::{FusedStream, Stream};

use crate::event_loop::LoopHandle;
use crate::wait::until::Until;

/// Ticks at the first poll, and then once each `period`.
///
/// Ticks do not drift: each is due a whole number of periods after the first. Ticks that a busy
/// loop has missed are skipped, so a late tick is followed by the next regular one. An interval is
/// also a [`Stream`] of the instants at which the ticks were due; it never ends.
///
/// ```
/// use std::time::Duration;
///
/// coro::run(async {
///     let mut ticks = coro::interval(Duration::from_millis(2));
///     let first = ticks.tick().await;
///     let second = ticks.tick().await;
///     assert_eq!(second - first, Duration::from_millis(2));
/// });
/// ```
///
/// # Panics
///
/// If `period` is zero: use [`yield_now`](crate::time::yield_now) to run once a turn.
pub fn interval(period: Duration) -> Interval {
    assert!(
        !period.is_zero(),
        "an interval of zero would never let the loop sleep: use yield_now"
    );
    Interval {
        period,
        due: None,
        until: None,
    }
}

/// The stream of [`interval`].
#[must_use = "an interval does nothing unless its ticks are awaited"]
pub struct Interval {
    period: Duration,
    /// The due time of the next tick; `None` before the first.
    due: Option<Instant>,
    until: Option<Until>,
}

impl Interval {
    /// Waits for the next tick, and gives the instant at which it was due.
    ///
    /// Dropping the future loses no tick. If the period is so long that the next tick cannot be
    /// represented, that tick never comes.
    ///
    /// # Panics
    ///
    /// When polled outside of a loop, or in another than at its first poll.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// As [`tick`](Self::tick), for hand-written futures.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    pub fn poll_tick(&mut self, cx: &Context<'_>) -> Poll<Instant> {
        let due = match self.due {
            None => LoopHandle::current().time(),
            Some(due) => {
                let until = self.until.get_or_insert(Until::At(due));
                ready!(until.poll(cx));
                due
            }
        };
        let next = next_tick(due, self.period, LoopHandle::current().time());
        self.due = Some(next.unwrap_or(due));
        self.until = Some(next.map_or(Until::After(Duration::MAX), Until::At));
        Poll::Ready(due)
    }

    /// The time between two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }
}

/// The first instant after `now` that is a whole number of periods after `due`.
fn next_tick(due: Instant, period: Duration, now: Instant) -> Option<Instant> {
    let next = due.checked_add(period)?;
    if next > now {
        return Some(next);
    }
    let into_period = (now - due).as_nanos() % period.as_nanos();
    let left = period.as_nanos() - into_period;
    now.checked_add(Duration::from_nanos(u64::try_from(left).ok()?))
}

impl Stream for Interval {
    type Item = Instant;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.poll_tick(cx).map(Some)
    }
}

impl FusedStream for Interval {
    fn is_terminated(&self) -> bool {
        false
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interval")
            .field("period", &self.period)
            .field("due", &self.due)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_ticks_are_skipped_in_step() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(next_tick(start, second, at(0)), Some(at(1000)));
        assert_eq!(next_tick(start, second, at(999)), Some(at(1000)));
        assert_eq!(next_tick(start, second, at(1000)), Some(at(2000)));
        assert_eq!(next_tick(start, second, at(4321)), Some(at(5000)));
    }

    #[test]
    fn a_tick_beyond_all_time_does_not_exist() {
        let now = Instant::now();
        assert_eq!(next_tick(now, Duration::MAX, now), None);
    }
}
