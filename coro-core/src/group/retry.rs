//! Retries an operation that has failed.

use std::time::Duration;

use crate::event_loop::LoopHandle;
use crate::task::{Step, looking};
use crate::time::sleep;

/// A policy for retrying: the number of attempts, and the delays between them.
///
/// It is a value that can be kept and shared. The delay before the second attempt is
/// [`delay`](Self::delay). Before each further attempt it is multiplied by the
/// [`factor`](Self::factor), up to [`max_delay`](Self::max_delay). Each delay is shortened by a
/// random amount, up to [`jitter`](Self::jitter) times its length, so that clients that failed
/// together do not retry together.
///
/// The crate `backon` works as well, with `.sleep(coro::sleep)`, and has more.
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
#[doc(alias = "backoff")]
pub struct Retry {
    attempts: u32,
    delay: Duration,
    factor: f64,
    max_delay: Duration,
    jitter: f64,
    within: Duration,
}

impl Default for Retry {
    #[inline]
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
    /// Three attempts, 100 ms and then 200 ms apart. Each delay is shortened by up to half of it.
    #[inline]
    pub fn new() -> Self {
        Retry::default()
    }

    /// Sets the number of attempts, including the first. Zero counts as one, and [`u32::MAX`] means
    /// without end.
    #[inline]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets the delay after the first attempt.
    #[inline]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the factor that multiplies the delay after each attempt: 2 doubles it, 1 keeps it.
    ///
    /// # Panics
    ///
    /// If it is negative or not a finite number.
    #[inline]
    pub fn factor(mut self, factor: f64) -> Self {
        assert!(
            factor.is_finite() && factor >= 0.0,
            "the factor of a back-off is a number that is not negative, and not {factor}"
        );
        self.factor = factor;
        self
    }

    /// Sets the longest delay.
    #[inline]
    pub fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// Sets the part of each delay that is random: 0 for none of it, 1 for all of it. Under a virtual
    /// clock, each run draws the same random numbers.
    ///
    /// # Panics
    ///
    /// If it is not between 0 and 1.
    #[inline]
    pub fn jitter(mut self, jitter: f64) -> Self {
        assert!(
            (0.0..=1.0).contains(&jitter),
            "the jitter of a back-off is a part between 0 and 1, and not {jitter}"
        );
        self.jitter = jitter;
        self
    }

    /// Sets the time, counted from the first attempt, after which no attempt begins. An attempt
    /// that has begun is not cut short; use [`timeout`](crate::time::timeout) for that.
    #[inline]
    pub fn within(mut self, duration: Duration) -> Self {
        self.within = duration;
        self
    }

    /// Calls and awaits `operation` until it succeeds, or until this policy allows no more
    /// attempts.
    ///
    /// Dropping it drops the attempt that is under way, or the delay.
    ///
    /// # Errors
    ///
    /// The error of the last attempt. Earlier errors are dropped.
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
            let step = || Step::During {
                operation: "attempt",
                object: attempt.to_string().into(),
            };
            let error = match looking::shown(step, operation()).await {
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

    #[inline]
    fn longer(&self, delay: Duration) -> Duration {
        let longer = Duration::try_from_secs_f64(delay.as_secs_f64() * self.factor);
        longer.unwrap_or(Duration::MAX).min(self.max_delay)
    }

    #[inline]
    fn shortened(&self, delay: Duration) -> Duration {
        match self.jitter {
            0.0 => delay,
            jitter => delay.mul_f64(1.0 - jitter * LoopHandle::current().chance()),
        }
    }
}

/// Calls and awaits `operation` again until it succeeds, as `policy` says; see [`Retry::run`].
///
/// ```
/// use std::cell::Cell;
/// use std::time::Duration;
///
/// use coro::group::{Retry, retry};
///
/// coro::run(async {
///     let tried = Cell::new(0);
///     let policy = Retry::new().delay(Duration::from_millis(1));
///     let answer: Result<(), _> = retry(policy, async || {
///         tried.set(tried.get() + 1);
///         Err("no")
///     })
///     .await;
///     assert_eq!((answer, tried.get()), (Err("no"), 3));
/// });
/// ```
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
