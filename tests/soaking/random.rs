//! Random choices, the same for the same seed.

use std::cell::Cell;
use std::time::Duration;

pub(crate) struct Random(Cell<u64>);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(Cell::new(seed | 1))
    }

    /// A number below `limit`: by Marsaglia's xorshift.
    pub(crate) fn below(&self, limit: u64) -> u64 {
        let mut state = self.0.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.0.set(state);
        (state >> 11) % limit
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
