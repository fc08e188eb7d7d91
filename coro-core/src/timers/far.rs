//! The timers that are due later: chunks in the order of time, unordered within.
//!
//! A timer is pushed to the end of its chunk, which a search in the chunks' deadlines finds. A
//! cancelled timer stays in its chunk until half of the chunk is cancelled, so that cancelling
//! moves nothing.

use std::collections::vec_deque::Drain;

use slab::Slab;

use super::slots::Slots;
use super::{Armed, CHUNK, Moment, SPACIOUS, TimerKey, TimerPlace};

/// Capacity that a chunk keeps, even with fewer timers in it.
const KEPT: usize = 8;

/// One timer in this many is looked at to find the middle of a chunk.
const SAMPLED: usize = 16;

pub(super) struct Far {
    /// The deadlines of the chunks' bounds, ascending; in a list of their own, so that the search
    /// stays in the cache.
    deadlines: Vec<u64>,
    /// The chunks' numbers in the same order.
    numbers: Vec<u32>,
    chunks: Slab<Chunk>,
    /// The storage of a used-up chunk, kept for the next one.
    spare: Vec<Armed>,
}

struct Chunk {
    /// No timer of this chunk is before its bound; all of them are before the next chunk's bound.
    bound: Moment,
    timers: Vec<Armed>,
    /// How many of the timers were cancelled: at most half.
    cancelled: usize,
}

impl Far {
    pub(super) const fn new() -> Self {
        Far {
            deadlines: Vec::new(),
            numbers: Vec::new(),
            chunks: Slab::new(),
            spare: Vec::new(),
        }
    }

    /// The timers of the chunk with this number.
    pub(super) fn timers(&self, number: u32) -> &[Armed] {
        &self.chunks[number as usize].timers
    }

    /// Whether a timer of this moment belongs here: it is not before the first bound.
    #[inline]
    pub(super) fn reaches(&self, moment: Moment) -> bool {
        let first = self.deadlines.first();
        first.is_some_and(|first| *first <= deadline(moment)) && self.bound(0) <= moment
    }

    /// Adds a timer that belongs here.
    pub(super) fn insert<T>(&mut self, armed: Armed, slots: &mut Slots<T>) {
        let at = self.chunk_of(armed.moment());
        let number = self.numbers[at];
        let chunk = &mut self.chunks[number as usize];
        if chunk.timers.len() < CHUNK {
            chunk.timers.push(armed);
            slots.put(armed.key(), TimerPlace::Far { number });
        } else {
            self.make_room(at, armed, slots);
            self.insert(armed, slots);
        }
    }

    /// The last chunk whose bound is not after this moment.
    fn chunk_of(&self, moment: Moment) -> usize {
        let deadline = deadline(moment);
        let mut at = match self.deadlines.last() {
            Some(last) if *last <= deadline => self.deadlines.len() - 1,
            _ => self.deadlines.partition_point(|bound| *bound <= deadline) - 1,
        };
        while self.bound(at) > moment {
            at -= 1;
        }
        at
    }

    fn bound(&self, at: usize) -> Moment {
        self.chunks[self.numbers[at] as usize].bound
    }

    /// Makes room for a timer in a full chunk or, if deadlines ascend, in a new chunk after it.
    #[cold]
    fn make_room<T>(&mut self, at: usize, armed: Armed, slots: &mut Slots<T>) {
        let is_last = at + 1 == self.numbers.len();
        let chunk = &mut self.chunks[self.numbers[at] as usize];
        chunk.sweep(slots);
        if chunk.timers.len() <= SPACIOUS {
            return;
        }
        let mut later = storage(&mut self.spare);
        let bound = if is_last && chunk.is_before(armed.moment()) {
            armed.moment()
        } else {
            chunk.split(&mut later)
        };
        self.add(at + 1, bound, later, slots);
    }

    /// Adds ascending timers, all of them before every far timer.
    pub(super) fn add_first<T>(&mut self, timers: Drain<'_, Armed>, slots: &mut Slots<T>) {
        let mut chunk = storage(&mut self.spare);
        chunk.extend(timers);
        let bound = chunk[0].moment();
        self.add(0, bound, chunk, slots);
    }

    fn add<T>(&mut self, at: usize, bound: Moment, timers: Vec<Armed>, slots: &mut Slots<T>) {
        let number = self.chunks.vacant_key() as u32;
        for armed in &timers {
            slots.put(armed.key(), TimerPlace::Far { number });
        }
        self.deadlines.insert(at, deadline(bound));
        self.numbers.insert(at, number);
        self.chunks.insert(Chunk {
            bound,
            timers,
            cancelled: 0,
        });
    }

    /// Records that a timer in this chunk was cancelled.
    pub(super) fn forget<T>(&mut self, number: u32, key: TimerKey, slots: &Slots<T>) {
        let chunk = &mut self.chunks[number as usize];
        if chunk.timers.last().is_some_and(|last| last.key() == key) {
            chunk.timers.pop();
        } else {
            chunk.cancelled += 1;
        }
        if chunk.is_sparse() {
            chunk.sweep(slots);
        }
        if chunk.timers.is_empty() {
            let bound = chunk.bound;
            let at = self.chunk_of(bound);
            let storage = self.take(at);
            self.keep(storage);
        }
    }

    /// Takes the timers of the first chunk; some of them may be cancelled, but not all.
    pub(super) fn take_first(&mut self) -> Option<Vec<Armed>> {
        (!self.deadlines.is_empty()).then(|| self.take(0))
    }

    fn take(&mut self, at: usize) -> Vec<Armed> {
        self.deadlines.remove(at);
        let number = self.numbers.remove(at);
        let chunk = self.chunks.remove(number as usize);
        if self.deadlines.is_empty() {
            let spare = std::mem::take(&mut self.spare);
            *self = Far {
                spare,
                ..Far::new()
            };
        }
        chunk.timers
    }

    /// Keeps storage for a new chunk, if it is the largest yet.
    pub(super) fn keep(&mut self, mut storage: Vec<Armed>) {
        storage.clear();
        if storage.capacity() > self.spare.capacity() {
            self.spare = storage;
        }
    }
}

impl Chunk {
    fn is_before(&self, moment: Moment) -> bool {
        self.timers.iter().all(|armed| armed.moment() < moment)
    }

    /// Takes out the later half; returns the moment of its first timer.
    fn split(&mut self, later: &mut Vec<Armed>) -> Moment {
        let mut sample: Vec<Armed> = Vec::with_capacity(CHUNK / SAMPLED + 1);
        sample.extend(self.timers.iter().step_by(SAMPLED));
        sample.sort_unstable_by_key(Armed::moment);
        let bound = sample[sample.len() / 2].moment();
        let mut at = 0;
        while let Some(armed) = self.timers.get(at) {
            if armed.moment() < bound {
                at += 1;
            } else {
                later.push(self.timers.swap_remove(at));
            }
        }
        bound
    }

    fn is_sparse(&self) -> bool {
        let len = self.timers.len();
        self.cancelled > len / 2 || len.max(KEPT) < self.timers.capacity() / 4
    }

    /// Drops the cancelled timers, and the memory that a chunk no longer needs.
    #[cold]
    fn sweep<T>(&mut self, slots: &Slots<T>) {
        if self.cancelled > 0 {
            self.timers.retain(|armed| slots.is_armed(armed.key()));
            self.cancelled = 0;
        }
        let len = self.timers.len();
        if len > 0 && len < self.timers.capacity() / 4 {
            self.timers.shrink_to((len * 2).max(KEPT));
        }
    }
}

/// Storage for the timers of a new chunk.
fn storage(spare: &mut Vec<Armed>) -> Vec<Armed> {
    let mut storage = std::mem::take(spare);
    storage.reserve_exact(CHUNK);
    storage
}

fn deadline(moment: Moment) -> u64 {
    (moment >> 64) as u64
}

#[cfg(test)]
impl Far {
    pub(super) fn len(&self) -> usize {
        self.chunks
            .iter()
            .map(|(_, chunk)| chunk.timers.len())
            .sum()
    }

    pub(super) fn chunks(&self) -> usize {
        self.numbers.len()
    }

    /// How many timers fit into the memory that is held.
    pub(super) fn capacity(&self) -> usize {
        let chunks = self.chunks.iter().map(|(_, chunk)| chunk.timers.capacity());
        chunks.sum::<usize>() + self.spare.capacity()
    }
}
