//! The limits of a write buffer, at which a protocol is told to pause and to resume writing.

/// The default limits, as asyncio has them.
const HIGH: usize = 64 * 1024;
const LOW: usize = HIGH / 4;

#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteLimits {
    /// More bytes than this pause writing.
    high: usize,
    /// As few bytes as this resume writing.
    low: usize,
}

impl WriteLimits {
    /// The limits that are given; a missing one follows from the other.
    ///
    /// # Panics
    ///
    /// If the low one is above the high one.
    #[inline]
    pub(crate) fn new(high: Option<usize>, low: Option<usize>) -> Self {
        let (high, low) = match (high, low) {
            (None, None) => (HIGH, LOW),
            (None, Some(low)) => (low.saturating_mul(4), low),
            (Some(high), low) => (high, low.unwrap_or(high / 4)),
        };
        assert!(
            low <= high,
            "the low limit of a write buffer, {low}, is above the high one, {high}: give a lower one"
        );
        WriteLimits { high, low }
    }

    /// The limits as `(low, high)`, as asyncio gives them.
    #[inline]
    pub(crate) fn get(self) -> (usize, usize) {
        (self.low, self.high)
    }

    /// Whether writing is to be paused, with this number of bytes waiting.
    #[inline]
    pub(super) fn is_paused(self, was_paused: bool, waiting: usize) -> bool {
        match was_paused {
            false => waiting > self.high,
            true => waiting > self.low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_limit_follows_from_the_other() {
        assert_eq!(WriteLimits::new(None, None).get(), (LOW, HIGH));
        assert_eq!(WriteLimits::new(None, Some(10)).get(), (10, 40));
        assert_eq!(WriteLimits::new(Some(10), None).get(), (2, 10));
        assert_eq!(WriteLimits::new(None, Some(usize::MAX)).get().1, usize::MAX);
    }

    #[test]
    fn writing_pauses_above_the_high_limit_and_resumes_at_the_low_one() {
        let limits = WriteLimits::new(Some(8), Some(2));
        let paused = |was_paused, waiting| limits.is_paused(was_paused, waiting);
        assert_eq!([paused(false, 8), paused(false, 9)], [false, true]);
        assert_eq!([paused(true, 3), paused(true, 2)], [true, false]);
        assert!(WriteLimits::new(Some(0), None).is_paused(false, 1));
    }
}
