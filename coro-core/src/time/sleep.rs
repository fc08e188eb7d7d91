//! Sleeping until an instant.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::wait::until::Until;

/// Waits for at least `duration`. The counterpart of `asyncio.sleep`.
///
/// The time counts from the first poll. Even a sleep of [`Duration::ZERO`] lets everything else
/// that is ready run first. A sleep of [`Duration::MAX`], like any that is too long to be
/// represented, never ends. On Linux a sleep is exact to less than a millisecond, on other systems
/// to a millisecond. It allocates nothing.
///
/// Time is that of [`Instant`]. On Linux and macOS it stands still while the machine is suspended: a
/// sleep of an hour, suspended half-way, ends half an hour after the machine runs again. To act at
/// a time of day, sleep for short whiles and compare [`SystemTime`](std::time::SystemTime).
///
/// Dropping it disarms the timer; nothing is lost.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// coro::run(async {
///     let begun = Instant::now();
///     coro::sleep(Duration::from_millis(3)).await;
///     assert!(begun.elapsed() >= Duration::from_millis(3));
/// });
/// ```
///
/// # Panics
///
/// When polled outside of a loop, or in another than at its first poll.
pub fn sleep(duration: Duration) -> Sleep {
    Sleep(Until::After(duration))
}

/// Waits at least until `deadline`, by the loop's [`time`](crate::event_loop::LoopHandle::time).
///
/// A deadline in the past still lets everything else that is ready run first. Otherwise as
/// [`sleep`].
///
/// # Panics
///
/// When polled outside of a loop, or in another than at its first poll.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep(Until::At(deadline))
}

/// The future of [`sleep`] and [`sleep_until`]. Once it has completed, it stays ready.
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep(Until);

impl Future for Sleep {
    type Output = ();

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll(cx)
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Until::After(duration) => write!(f, "Sleep(for {duration:?}, not begun)"),
            Until::At(_) => f.write_str("Sleep(until an instant, not begun)"),
            Until::ArmedTimer(_) => f.write_str("Sleep(armed)"),
            Until::Over => f.write_str("Sleep(over)"),
        }
    }
}
