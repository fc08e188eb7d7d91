//! Timers in the exact order of (deadline, sequence number).
//!
//! `Timers` reads no clock: `now` and every deadline are nanoseconds since an epoch of the caller.
//!
//! # Why this structure
//!
//! One large heap is as slow as memory: with a million timers armed, each one that fires walks ten
//! levels. Each level misses the cache twice, in the heap and in the slot of the timer that it
//! moves. A wheel is fast while its ticks suit the deadlines. But when a long slot comes due, the
//! wheel sorts it into shorter slots. For a million timers that takes milliseconds, unless it is
//! done in advance, while no timer is due. So timers are kept in *chunks* of at most 512:
//!
//! - The next timers are [near](Near), in order: firing the first moves no other.
//! - The other timers are [far](Far): the chunks are in order of time, but unordered within. A full
//!   chunk is split in two, and sorted only when it is the next chunk.
//! - The actions of all timers are in [slots](Slots), found by the timers' keys.
//!
//! ```text
//!          near                            far
//!   | a ≤ b ≤ c ≤ d ≤ … |   | h f g … |   | k m i … |   | n … |
//!     first, due next         bound         bound         bound: none before it
//! ```
//!
//! The cost does not depend on how the deadlines are distributed or how far the present moves. No
//! call works on more than a few chunks: the slowest of a million calls takes twenty to fifty
//! microseconds. Cancelling frees the action at once and leaves a 24-byte tombstone; a chunk is
//! compacted when half of it is tombstones.
//!
//! Nanoseconds of CPU for each timer, on a busy machine, beside a four-way heap of all timers:
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

/// Capacity of the near timers, and of each chunk of far timers.
const CHUNK: usize = 512;

/// A full chunk with at most this many live timers is compacted instead of split.
const SPACIOUS: usize = CHUNK / 4 * 3;

/// Capacity for unstamped timers that is kept; storage beyond it is given back.
const UNSTAMPED_KEPT: usize = 1024;

pub(crate) struct Timers<T> {
    slots: Slots<T>,
    near: Near,
    far: Far,
    /// Relative timers whose deadline counts from the next [`Timers::stamp`].
    unstamped: Vec<Unstamped>,
    sequence: u64,
}

#[derive(Clone, Copy)]
struct Unstamped {
    delay: u64,
    key: TimerKey,
}

/// The structure that holds a timer.
#[derive(Clone, Copy)]
enum TimerPlace {
    Unstamped { at: u32 },
    Near,
    Far { number: u32 },
}

/// The key by which timers are ordered, unique to each timer: the deadline and the sequence number.
/// They are in one word, because that compares without branches.
type Moment = u128;

/// A timer that was armed and stamped: it may have been cancelled since.
#[derive(Clone, Copy)]
struct Armed {
    deadline: u64,
    sequence: u64,
    index: u32,
}

/// Names one timer: no key is ever given out twice, so a stale key finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
            unstamped: Vec::new(),
            sequence: 0,
        }
    }

    /// Arms a timer for an absolute instant.
    pub(crate) fn insert(&mut self, deadline: u64, action: T) -> TimerKey {
        let key = self.add(action, TimerPlace::Near);
        self.arm(deadline, key);
        key
    }

    /// Arms a timer whose `delay` counts from the next [`stamp`](Self::stamp).
    ///
    /// So one reading of the clock serves all timers that a step arms, and a timer that the same
    /// step cancels again needs no reading.
    #[inline(always)] // into the one function that arms timers, so that the action stays in registers
    pub(crate) fn insert_fresh(&mut self, delay: u64, action: T) -> TimerKey {
        let at = self.unstamped.len() as u32;
        let key = self.add(action, TimerPlace::Unstamped { at });
        self.unstamped.push(Unstamped { delay, key });
        key
    }

    #[inline(always)]
    fn add(&mut self, action: T, place: TimerPlace) -> TimerKey {
        let sequence = self.sequence;
        self.sequence += 1;
        self.slots.insert(sequence, place, action)
    }

    /// Gives every unstamped timer its deadline.
    pub(crate) fn stamp(&mut self, now: u64) {
        for at in 0..self.unstamped.len() {
            let Unstamped { delay, key } = self.unstamped[at];
            self.slots.put(key, TimerPlace::Near);
            self.arm(now.saturating_add(delay), key);
        }
        self.unstamped.clear();
        self.unstamped.shrink_to(UNSTAMPED_KEPT);
    }

    /// Gives a timer its deadline; the place in its slot must already be `Near`.
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

    /// The action of an armed timer; `None` once the timer has fired or was cancelled.
    pub(crate) fn get_mut(&mut self, key: TimerKey) -> Option<&mut T> {
        self.slots.action_mut(key)
    }

    /// The action of a timer that fires a little later than the first, so that its memory can be
    /// loaded meanwhile.
    pub(crate) fn soon(&self) -> Option<&T> {
        self.slots.action(self.near.soon()?.key())
    }

    /// The deadline of a timer, if it is armed and stamped. For dumps: it is searched for in a chunk.
    pub(crate) fn deadline(&self, key: TimerKey) -> Option<u64> {
        let (first, second) = match self.slots.place(key)? {
            TimerPlace::Unstamped { .. } => return None,
            TimerPlace::Near => self.near.timers(),
            TimerPlace::Far { number } => (self.far.timers(number), &[][..]),
        };
        for armed in first.iter().chain(second) {
            if armed.key() == key {
                return Some(armed.deadline);
            }
        }
        None
    }

    /// Disarms a timer and gives back its action, for the caller to drop.
    #[inline(always)] // into the one function that disarms timers
    pub(crate) fn cancel(&mut self, key: TimerKey) -> Option<T> {
        let (place, action) = self.slots.remove(key)?;
        match place {
            TimerPlace::Unstamped { at } => self.forget_unstamped(at as usize),
            TimerPlace::Far { number } => self.far.forget(number, key, &self.slots),
            TimerPlace::Near => self.forget_near(key),
        }
        Some(action)
    }

    fn forget_near(&mut self, key: TimerKey) {
        self.near.forget(key, &self.slots);
        self.refill();
    }

    #[inline]
    fn forget_unstamped(&mut self, at: usize) {
        self.unstamped.swap_remove(at);
        if let Some(moved) = self.unstamped.get(at) {
            self.slots
                .put(moved.key, TimerPlace::Unstamped { at: at as u32 });
        }
    }

    /// The earliest deadline of the stamped timers.
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

    /// Takes the first stamped timer, due or not; without stamped timers, a fresh one.
    pub(crate) fn pop(&mut self) -> Option<T> {
        if let Some(first) = self.near.first() {
            let key = first.key();
            return self.pop_near(key);
        }
        let key = self.unstamped.last()?.key;
        self.cancel(key)
    }

    fn pop_near(&mut self, first: TimerKey) -> Option<T> {
        let (_, action) = self.slots.remove(first)?;
        self.near.pop(&self.slots);
        self.refill();
        Some(action)
    }

    /// Moves the next chunk near if no timer is near, so that the first stamped timer is known.
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
