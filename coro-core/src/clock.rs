//! The loop's clock: nanoseconds since the loop was made, real or virtual.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::timers::NEVER;

/// The distance from the epoch of the [`Instant`] that stands for a deadline that never comes.
const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

pub(crate) struct Clock {
    epoch: Instant,
    mode: Mode,
}

enum Mode {
    Real,
    /// `now` is the present; `flowed_at` is the real time at the last call of [`Clock::track_real_time`].
    Virtual {
        now: Cell<u64>,
        flowed_at: Cell<u64>,
    },
}

impl Clock {
    pub(crate) fn real() -> Self {
        Clock {
            epoch: Instant::now(),
            mode: Mode::Real,
        }
    }

    pub(crate) fn virtual_time() -> Self {
        let mode = Mode::Virtual {
            now: Cell::new(0),
            flowed_at: Cell::new(0),
        };
        Clock {
            epoch: Instant::now(),
            mode,
        }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self.mode, Mode::Virtual { .. })
    }

    /// The present, in nanoseconds since the loop was made.
    pub(crate) fn now(&self) -> u64 {
        match &self.mode {
            Mode::Real => self.real_now(),
            Mode::Virtual { now, .. } => now.get(),
        }
    }

    fn real_now(&self) -> u64 {
        nanos(self.epoch.elapsed())
    }

    /// Moves virtual time on by the real time since the last call if `may_run`; otherwise leaves
    /// that time out.
    pub(crate) fn track_real_time(&self, may_run: bool) {
        if let Mode::Virtual { now, flowed_at } = &self.mode {
            let real = self.real_now();
            if may_run {
                now.set(now.get().saturating_add(real - flowed_at.get()));
            }
            flowed_at.set(real);
        }
    }

    /// Moves virtual time forward to an instant; never back.
    pub(crate) fn jump(&self, to: u64) {
        if let Mode::Virtual { now, .. } = &self.mode {
            now.set(now.get().max(to));
        }
    }

    pub(crate) fn instant(&self, at: u64) -> Instant {
        let far = || self.epoch + FAR;
        if at == NEVER {
            far()
        } else {
            self.epoch
                .checked_add(Duration::from_nanos(at))
                .unwrap_or_else(far)
        }
    }

    /// An instant in nanoseconds since the epoch; an earlier instant counts as the epoch.
    pub(crate) fn nanos_at(&self, instant: Instant) -> u64 {
        nanos(instant.saturating_duration_since(self.epoch))
    }
}

/// Nanoseconds, or [`NEVER`] for more than 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_duration_never_comes_due() {
        assert_eq!(nanos(Duration::MAX), NEVER);
        let clock = Clock::real();
        assert_eq!(clock.now().saturating_add(nanos(Duration::MAX)), NEVER);
        assert!(clock.instant(NEVER) > Instant::now() + Duration::from_secs(60 * 60 * 24 * 365));
    }

    #[test]
    fn virtual_time_stands_still_until_it_is_moved() {
        let clock = Clock::virtual_time();
        clock.track_real_time(false);
        assert_eq!(clock.now(), 0);
        clock.jump(5_000);
        clock.jump(4_000);
        assert_eq!(clock.now(), 5_000);
        clock.track_real_time(true);
        assert!(clock.now() > 5_000);
    }

    #[test]
    fn an_instant_before_the_epoch_is_the_epoch() {
        let before = Instant::now();
        let clock = Clock::real();
        assert_eq!(clock.nanos_at(before), 0);
        assert_eq!(clock.nanos_at(clock.instant(17)), 17);
    }
}
