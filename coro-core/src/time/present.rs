//! The present: `now` and `system_now`, which tests with a virtual clock can steer.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::event_loop::LoopHandle;

/// The distance of 2000-01-01 from the epoch of Unix, where a virtual clock begins.
const YEAR_2000: Duration = Duration::from_secs(946_684_800);

/// The present, as the loop has it: virtual under a virtual clock, and [`Instant::now`] otherwise,
/// also outside of a loop.
///
/// A program that measures and compares times by this function behaves the same in each run of a
/// test. It is [`LoopHandle::time`](crate::event_loop::LoopHandle::time) of the present loop.
///
/// ```
/// use std::time::Duration;
///
/// #[coro::test]
/// async fn a_cache_forgets_after_an_hour() {
///     let begun = coro::time::now();
///     coro::sleep(Duration::from_secs(3600)).await;
///     assert_eq!(coro::time::now() - begun, Duration::from_secs(3600));
/// }
/// ```
pub fn now() -> Instant {
    match LoopHandle::try_current() {
        Some(current) => current.time(),
        None => Instant::now(),
    }
}

/// The date and the time of day: [`SystemTime::now`], or under a virtual clock the midnight of
/// 2000-01-01 (UTC) and the virtual time since the loop was made.
pub fn system_now() -> SystemTime {
    match LoopHandle::try_current().and_then(|it| it.virtual_time()) {
        Some(elapsed) => UNIX_EPOCH + YEAR_2000 + elapsed,
        None => SystemTime::now(),
    }
}
