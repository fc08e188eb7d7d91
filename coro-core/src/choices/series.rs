//! A `Series` of decisions, which those of other series do not move.

use std::fmt;

use crate::mix::mix;

/// A series of decisions of one thing in a simulation: of a task, of one direction of a connection.
///
/// The number is a hash of its name, so it is the same in every run and every process. Two things
/// with the same number share a series, which does no harm: both still replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Series(u32);

/// The start value and the factor of the hash FNV-1a.
const FNV_START: u64 = 0xCBF2_9CE4_8422_2325;
const FNV_FACTOR: u64 = 0x0000_0100_0000_01B3;

impl Series {
    pub(crate) const fn named(name: &str) -> Self {
        let bytes = name.as_bytes();
        let mut hash = FNV_START;
        let mut at = 0;
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(FNV_FACTOR);
            at += 1;
        }
        Self::folded(hash)
    }

    /// The series of a part: of the n-th connection, of the n-th task that this one spawns.
    pub(crate) const fn and(self, part: u64) -> Self {
        Self::folded((self.0 as u64) << 32 ^ part)
    }

    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_number(number: u32) -> Self {
        Series(number)
    }

    const fn folded(hash: u64) -> Self {
        let mixed = mix(hash);
        Series((mixed ^ mixed >> 32) as u32)
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}
