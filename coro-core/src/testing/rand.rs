//! Random numbers that a simulation draws from its seed.
//!
//! A program that takes its random numbers here behaves the same in each run of a test. In a
//! simulation they depend on the seed, the present task and how many it has taken. Under a virtual
//! clock they depend on the order of the calls. Under the real clock, and outside of a loop, they
//! differ in each run. They are good for back-off, sampling and shuffling; they are no secrets.
//!
//! They are not decisions, as those of [`Sim::choose`](super::Sim::choose) are: none is plainer than
//! another, so they are not shrunk.

use std::hash::{BuildHasher, RandomState};

use crate::event_loop::LoopHandle;

/// A number of 64 random bits.
pub fn random() -> u64 {
    match LoopHandle::try_current() {
        Some(current) => current.random(),
        None => RandomState::new().hash_one(0),
    }
}

/// A random number below `limit`; 0 if `limit` is 0.
///
/// ```
/// use coro::testing::rand;
///
/// assert!((0..100).all(|_| rand::below(6) < 6));
/// ```
pub fn below(limit: u64) -> u64 {
    ((u128::from(random()) * u128::from(limit)) >> 64) as u64
}

/// Fills `bytes` with random bits.
pub fn fill(bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&random().to_le_bytes()[..chunk.len()]);
    }
}

/// Puts the items in a random order.
pub fn shuffle<T>(items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(last as u64 + 1) as usize);
    }
}
