//! The timers that are due next, in order.
//!
//! Taking the first timer moves no other. Inserting moves at most half of a chunk's 12 KiB, and
//! nothing if deadlines ascend, as those of equal delays do.

use std::collections::VecDeque;
use std::collections::vec_deque::Drain;

use super::slots::Slots;
use super::{Armed, CHUNK, SPACIOUS, TimerKey, TimerPlace};

/// How many timers fire before the one that [`Near::soon`] gives, if none of them is cancelled.
const AHEAD: usize = 40;

pub(super) struct Near {
    /// Ascending. The first is armed; others may be cancelled.
    timers: VecDeque<Armed>,
    cancelled: usize,
}

impl Near {
    pub(super) const fn new() -> Self {
        Near {
            timers: VecDeque::new(),
            cancelled: 0,
        }
    }

    #[inline]
    pub(super) fn first(&self) -> Option<&Armed> {
        self.timers.front()
    }

    #[inline]
    pub(super) fn soon(&self) -> Option<&Armed> {
        self.timers.get(AHEAD)
    }

    /// The timers, in two pieces.
    pub(super) fn timers(&self) -> (&[Armed], &[Armed]) {
        self.timers.as_slices()
    }

    pub(super) fn is_full(&self) -> bool {
        self.timers.len() >= CHUNK
    }

    pub(super) fn insert(&mut self, armed: Armed) {
        let moment = armed.moment();
        if self
            .timers
            .back()
            .is_some_and(|last| moment < last.moment())
        {
            let at = self.timers.partition_point(|other| other.moment() < moment);
            self.timers.insert(at, armed);
        } else {
            self.timers.push_back(armed);
        }
    }

    /// Records that a timer in this chunk was cancelled.
    pub(super) fn forget<T>(&mut self, key: TimerKey, slots: &Slots<T>) {
        if self.timers.back().is_some_and(|last| last.key() == key) {
            self.timers.pop_back();
        } else if self.timers.front().is_some_and(|first| first.key() == key) {
            self.pop(slots);
        } else {
            self.cancelled += 1;
        }
        if self.cancelled > self.timers.len() / 2 {
            self.sweep(slots);
        }
    }

    /// Takes the first timer out, with the cancelled timers directly behind it.
    pub(super) fn pop<T>(&mut self, slots: &Slots<T>) {
        self.timers.pop_front();
        while self.cancelled > 0
            && let Some(first) = self.timers.front()
            && !slots.is_armed(first.key())
        {
            self.timers.pop_front();
            self.cancelled -= 1;
        }
    }

    /// Drops the cancelled timers.
    fn sweep<T>(&mut self, slots: &Slots<T>) {
        if self.cancelled > 0 {
            self.timers.retain(|armed| slots.is_armed(armed.key()));
            self.cancelled = 0;
        }
    }

    /// Drops the cancelled timers; takes out the later half if too few were cancelled.
    #[cold]
    pub(super) fn make_room<T>(&mut self, slots: &Slots<T>) -> Option<Drain<'_, Armed>> {
        self.sweep(slots);
        let len = self.timers.len();
        (len > SPACIOUS).then(|| self.timers.drain(len / 2..))
    }

    /// Takes over the timers of a chunk while none is near; gives back its storage.
    pub(super) fn fill<T>(&mut self, mut chunk: Vec<Armed>, slots: &mut Slots<T>) -> Vec<Armed> {
        debug_assert!(self.timers.is_empty() && self.cancelled == 0);
        chunk.retain(|armed| slots.put(armed.key(), TimerPlace::Near));
        chunk.sort_unstable_by_key(Armed::moment);
        self.timers.extend(&chunk);
        chunk
    }
}

#[cfg(test)]
impl Near {
    pub(super) fn len(&self) -> usize {
        self.timers.len()
    }
}
