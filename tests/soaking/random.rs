//! Random choices, the same for the same seed.

use std::cell::RefCell;
use std::time::Duration;

pub(crate) struct Random(RefCell<fastrand::Rng>);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(RefCell::new(fastrand::Rng::with_seed(seed)))
    }

    /// A number below `limit`.
    pub(crate) fn below(&self, limit: u64) -> u64 {
        self.0.borrow_mut().u64(..limit)
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn micros(&self, limit: u64) -> Duration {
        Duration::from_micros(self.below(limit))
    }

    pub(crate) fn bytes(&self, limit: u64) -> Vec<u8> {
        (0..self.below(limit))
            .map(|_| self.below(256) as u8)
            .collect()
    }
}
