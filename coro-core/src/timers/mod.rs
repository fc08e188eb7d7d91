//! What is due when, in the exact order of (deadline, sequence).
//!
//! It knows nothing of clocks: `now` and every deadline are nanoseconds since an epoch of the
//! caller's.
//!
//! # Why this structure
//!
//! One large heap is as slow as memory: with a million timers armed, each one that fires walks ten
//! levels, and each level is a miss there and in the slot of the timer that it moves. A wheel is
//! fast where its ticks suit the deadlines; but when a long slot's time comes it is sorted into
//! shorter ones, which takes milliseconds for a million timers, unless it is done ahead, at times at
//! which nothing is due. So here timers are kept in *chunks* of at most 512:
//!
//! - The next ones are [near](Near), in order: the first fires without anything moving.
//! - The others are [far](Far): the chunks are in order of time, but unordered within. A full chunk
//!   is split in two, and sorted only when it is next.
//! - Their actions are in [slots](Slots), where they are found by their keys.
//!
//! ```text
//!          near                            far
//!   | a ≤ b ≤ c ≤ d ≤ … |   | h f g … |   | k m i … |   | n … |
//!     first, due next         bound         bound         bound: none before it
//! ```
//!
//! Nothing depends on how the deadlines lie or how far the present moves. No call works on more
//! than a few chunks: twenty to fifty microseconds are the slowest of a million calls. Cancelling
//! frees the action at once and leaves a note of 24 bytes, which is dropped when half of a chunk is
//! such notes.
//!
//! In nanoseconds of CPU a timer, on a busy machine, beside a four-way heap of all timers:
//!
//! | | heap | here |
//! |---|---|---|
//! | arm and cancel, none live | 37 | 28 |
//! | arm now, cancel 100,000 timers later | 111 | 45–53 |
//! | arm a million over 2 s, then fire them | 46, 552 | 120, 90 |

mod far;
mod near;
mod slots;

use far::Far;
use near::Near;
use slots::Slots;

/// A deadline that never comes.
pub(crate) const NEVER: u64 = u64::MAX;

/// At most so many timers are near, and in each chunk of the far ones.
const CHUNK: usize = 512;

/// A full chunk has room again if no more than so many are left when the cancelled are dropped.
const SPACIOUS: usize = CHUNK / 4 * 3;

/// Storage for fresh timers beyond this many is given back.
const FRESH_KEPT: usize = 1024;

pub(crate) struct Timers<T> {
    slots: Slots<T>,
    near: Near,
    far: Far,
    /// Relative timers whose deadline counts from the next [`Timers::stamp`].
    fresh: Vec<Fresh>,
    sequence: u64,
}

#[derive(Clone, Copy)]
struct Fresh {
    delay: u64,
    key: TimerKey,
}

/// Where a timer stands.
#[derive(Clone, Copy)]
enum Place {
    Fresh { at: u32 },
    Near,
    Far { number: u32 },
}

/// What timers are ordered by, and what none has in common with another: the deadline and the
/// sequence number, in one word because that compares without branches.
type Moment = u128;

/// A timer that was armed and stamped: it may have been cancelled since.
#[derive(Clone, Copy)]
struct Armed {
    deadline: u64,
    sequence: u64,
    index: u32,
}

/// Names one timer for ever: a key is never given twice, so a stale one finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerKey {
    index: u32,
    sequence: u64,
}

impl Armed {
    fn moment(&self) -> Moment {
        u128::from(self.deadline) << 64 | u128::from(self.sequence)
    }

    fn key(&self) -> TimerKey {
        TimerKey {
            index: self.index,
            sequence: self.sequence,
        }
    }
}

impl<T> Timers<T> {
    pub(crate) const fn new() -> Self {
        Timers {
            slots: Slots::new(),
            near: Near::new(),
            far: Far::new(),
            fresh: Vec::new(),
            sequence: 0,
        }
    }

    /// Arms a timer for an absolute instant.
    pub(crate) fn insert(&mut self, deadline: u64, action: T) -> TimerKey {
        let key = self.add(action, Place::Near);
        self.arm(deadline, key);
        key
    }

    /// Arms a timer whose `delay` counts from the next [`stamp`](Self::stamp).
    ///
    /// So one reading of the clock serves all that a step arms, and a timer that the same step
    /// cancels again costs no reading at all.
    pub(crate) fn insert_fresh(&mut self, delay: u64, action: T) -> TimerKey {
        let at = self.fresh.len() as u32;
        let key = self.add(action, Place::Fresh { at });
        self.fresh.push(Fresh { delay, key });
        key
    }

    fn add(&mut self, action: T, place: Place) -> TimerKey {
        let sequence = self.sequence;
        self.sequence += 1;
        self.slots.insert(sequence, place, action)
    }

    /// Gives every fresh timer its deadline.
    pub(crate) fn stamp(&mut self, now: u64) {
        for at in 0..self.fresh.len() {
            let Fresh { delay, key } = self.fresh[at];
            self.slots.put(key, Place::Near);
            self.arm(now.saturating_add(delay), key);
        }
        self.fresh.clear();
        self.fresh.shrink_to(FRESH_KEPT);
    }

    /// Gives a timer its deadline; its place says already that it is near.
    fn arm(&mut self, deadline: u64, key: TimerKey) {
        let TimerKey { index, sequence } = key;
        let armed = Armed {
            deadline,
            sequence,
            index,
        };
        if self.far.reaches(armed.moment()) {
            self.far.insert(armed, &mut self.slots);
        } else if self.near.is_full() {
            self.make_room();
            self.arm(deadline, key);
        } else {
            self.near.insert(armed);
        }
    }

    fn make_room(&mut self) {
        if let Some(later) = self.near.make_room(&self.slots) {
            self.far.add_first(later, &mut self.slots);
        }
    }

    /// What an armed timer will do; `None` once it has fired or was cancelled.
    pub(crate) fn get_mut(&mut self, key: TimerKey) -> Option<&mut T> {
        self.slots.action(key)
    }

    /// Disarms a timer and gives back what it would have done, to be dropped by the caller.
    pub(crate) fn cancel(&mut self, key: TimerKey) -> Option<T> {
        let (place, action) = self.slots.remove(key)?;
        match place {
            Place::Fresh { at } => self.forget_fresh(at as usize),
            Place::Far { number } => self.far.forget(number, key, &self.slots),
            Place::Near => {
                self.near.forget(key, &self.slots);
                self.refill();
            }
        }
        Some(action)
    }

    fn forget_fresh(&mut self, at: usize) {
        self.fresh.swap_remove(at);
        if let Some(moved) = self.fresh.get(at) {
            self.slots.put(moved.key, Place::Fresh { at: at as u32 });
        }
    }

    /// The earliest deadline; what is not stamped yet does not count.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.near.first().map(|armed| armed.deadline)
    }

    /// Takes the first timer, in order, whose deadline is `now` or earlier.
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<T> {
        let first = self.near.first()?;
        if first.deadline > now || first.deadline == NEVER {
            return None;
        }
        let key = first.key();
        self.pop_near(key)
    }

    /// Takes a timer, the first if they are stamped, whether it is due or not.
    pub(crate) fn pop(&mut self) -> Option<T> {
        if let Some(first) = self.near.first() {
            let key = first.key();
            return self.pop_near(key);
        }
        let key = self.fresh.last()?.key;
        self.cancel(key)
    }

    fn pop_near(&mut self, first: TimerKey) -> Option<T> {
        let (_, action) = self.slots.remove(first)?;
        self.near.pop(&self.slots);
        self.refill();
        Some(action)
    }

    /// Sees to it that some timer is near, if any is stamped, so that the first is known.
    #[inline]
    fn refill(&mut self) {
        if self.near.first().is_none()
            && let Some(chunk) = self.far.take_first()
        {
            let storage = self.near.fill(chunk, &mut self.slots);
            self.far.keep(storage);
        }
    }
}

#[cfg(test)]
mod tests;
