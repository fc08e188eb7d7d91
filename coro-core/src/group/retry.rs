//! Trying again.

use std::time::Duration;

use crate::event_loop::LoopHandle;
use crate::time::sleep;

/// How often, and after which delays, to try again what has failed.
///
/// A value that can be kept and shared. The delay before the second attempt is that of
/// [`delay`](Self::delay), before each further one longer by the [`factor`](Self::factor), up to
/// [`max_delay`](Self::max_delay); of each delay a random part, as large as the
/// [`jitter`](Self::jitter), is left out, so that those who failed together do not all come back
/// together.
///
/// ```
/// use std::cell::Cell;
/// use std::time::Duration;
///
/// coro::run(async {
///     let tried = Cell::new(0);
///     let policy = coro::group::Retry::new().attempts(5).delay(Duration::from_millis(1));
///     let answer = policy.run(async || {
///         tried.set(tried.get() + 1);
///         if tried.get() < 3 { Err("not yet") } else { Ok(42) }
///     });
///     assert_eq!((answer.await, tried.get()), (Ok(42), 3));
/// });
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Retry {
    attempts: u32,
    delay: Duration,
    factor: f64,
    max_delay: Duration,
    jitter: f64,
    within: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            attempts: 3,
            delay: Duration::from_millis(100),
            factor: 2.0,
            max_delay: Duration::from_secs(30),
            jitter: 0.5,
            within: Duration::MAX,
        }
    }
}

impl Retry {
    /// Three attempts, 100 ms and then 200 ms apart, less up to half of that.
    pub fn new() -> Self {
        Retry::default()
    }

    /// How many attempts to make, the first included; zero counts as one, and [`u32::MAX`] means
    /// without end.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long to wait after the first attempt.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// By how much each delay is longer than the one before: 2 doubles them, 1 keeps them equal.
    ///
    /// # Panics
    ///
    /// If it is negative or not a finite number.
    pub fn factor(mut self, factor: f64) -> Self {
        assert!(
            factor.is_finite() && factor >= 0.0,
            "the factor of a back-off is a number that is not negative, and not {factor}"
        );
        self.factor = factor;
        self
    }

    /// The longest delay.
    pub fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// Which part of each delay is left to chance: 0 nothing, 1 all of it. Under a virtual clock
    /// chance takes the same course in each run.
    ///
    /// # Panics
    ///
    /// If it is not between 0 and 1.
    pub fn jitter(mut self, jitter: f64) -> Self {
        assert!(
            (0.0..=1.0).contains(&jitter),
            "the jitter of a back-off is a part between 0 and 1, and not {jitter}"
        );
        self.jitter = jitter;
        self
    }

    /// How long to go on, from the first attempt: none begins later than that. One that has begun
    /// is not cut short; for that there is [`timeout`](crate::time::timeout).
    pub fn within(mut self, duration: Duration) -> Self {
        self.within = duration;
        self
    }

    /// Calls and awaits `operation` until it succeeds, or this policy has had enough.
    ///
    /// Dropping it drops the attempt that is under way, or the delay.
    ///
    /// # Errors
    ///
    /// The error of the last attempt; those before are dropped.
    ///
    /// # Panics
    ///
    /// Outside of a loop, after the first error.
    pub async fn run<T, E>(self, operation: impl AsyncFnMut() -> Result<T, E>) -> Result<T, E> {
        self.run_if(|_| true, operation).await
    }

    /// As [`run`](Self::run), but tries again only after errors for which `again` is true.
    ///
    /// # Errors
    ///
    /// The error of the last attempt.
    ///
    /// # Panics
    ///
    /// Outside of a loop, after the first error.
    pub async fn run_if<T, E>(
        self,
        mut again: impl FnMut(&E) -> bool,
        mut operation: impl AsyncFnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        let begun = LoopHandle::try_current().map(|current| current.time());
        let mut delay = self.delay.min(self.max_delay);
        let mut attempt = 1;
        loop {
            let error = match operation().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let pause = self.shortened(delay);
            let elapsed = begun.map(|begun| LoopHandle::current().time() - begun);
            let too_late = elapsed.unwrap_or_default().saturating_add(pause) > self.within;
            let last = attempt >= self.attempts && self.attempts < u32::MAX;
            if last || too_late || !again(&error) {
                return Err(error);
            }
            sleep(pause).await;
            attempt = attempt.saturating_add(1);
            delay = self.longer(delay);
        }
    }

    fn longer(&self, delay: Duration) -> Duration {
        let longer = Duration::try_from_secs_f64(delay.as_secs_f64() * self.factor);
        longer.unwrap_or(Duration::MAX).min(self.max_delay)
    }

    fn shortened(&self, delay: Duration) -> Duration {
        match self.jitter {
            0.0 => delay,
            jitter => delay.mul_f64(1.0 - jitter * LoopHandle::current().chance()),
        }
    }
}

/// Calls and awaits `operation` again until it succeeds, as `policy` says; see [`Retry::run`].
///
/// # Errors
///
/// The error of the last attempt.
///
/// # Panics
///
/// Outside of a loop, after the first error.
pub async fn retry<T, E>(
    policy: Retry,
    operation: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    policy.run(operation).await
}
