//! What is due when: an indexed heap ordered by (deadline, sequence).
//!
//! It knows nothing of clocks: `now` and every deadline are nanoseconds since an epoch of the
//! caller's. Arming, cancelling and firing cost a few steps of a four-way heap each, so that no
//! single call can be slow however many timers are armed, and what is cancelled is gone at once.

use slab::Slab;

/// A deadline that never comes.
pub(crate) const NEVER: u64 = u64::MAX;

/// Children of a node in the heap: four keep the tree flat and siblings on neighbouring lines.
const ARITY: usize = 4;

/// Storage beyond this many timers is given back when it is no longer used.
const KEPT: usize = 1024;

pub(crate) struct Timers<T> {
    entries: Slab<Entry<T>>,
    heap: Vec<Armed>,
    /// Relative timers whose deadline counts from the next [`Timers::stamp`].
    fresh: Vec<u32>,
    sequence: u64,
}

struct Entry<T> {
    action: T,
    sequence: u64,
    place: Place,
}

#[derive(Clone, Copy)]
enum Place {
    Fresh { at: u32, delay: u64 },
    Heap { at: u32 },
}

#[derive(Clone, Copy)]
struct Armed {
    deadline: u64,
    sequence: u64,
    index: u32,
}

impl Armed {
    fn before(&self, other: &Armed) -> bool {
        (self.deadline, self.sequence) < (other.deadline, other.sequence)
    }
}

/// Names one timer for ever: a key is never given twice, so a stale one finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerKey {
    index: u32,
    sequence: u64,
}

impl<T> Timers<T> {
    pub(crate) const fn new() -> Self {
        Timers {
            entries: Slab::new(),
            heap: Vec::new(),
            fresh: Vec::new(),
            sequence: 0,
        }
    }

    /// Arms a timer for an absolute instant.
    pub(crate) fn insert(&mut self, deadline: u64, action: T) -> TimerKey {
        let at = self.heap.len() as u32;
        let key = self.add(action, Place::Heap { at });
        self.heap.push(Armed {
            deadline,
            sequence: key.sequence,
            index: key.index,
        });
        self.rise(at as usize);
        key
    }

    /// Arms a timer whose `delay` counts from the next [`stamp`](Self::stamp).
    ///
    /// So one reading of the clock serves all that a step arms, and a timer that the same step
    /// cancels again costs no reading at all.
    pub(crate) fn insert_fresh(&mut self, delay: u64, action: T) -> TimerKey {
        let key = self.add(
            action,
            Place::Fresh {
                at: self.fresh.len() as u32,
                delay,
            },
        );
        self.fresh.push(key.index);
        key
    }

    fn add(&mut self, action: T, place: Place) -> TimerKey {
        let sequence = self.sequence;
        self.sequence += 1;
        let index = self.entries.insert(Entry {
            action,
            sequence,
            place,
        });
        let index = u32::try_from(index).expect("more than 4 billion timers are armed");
        TimerKey { index, sequence }
    }

    /// Gives every fresh timer its deadline.
    pub(crate) fn stamp(&mut self, now: u64) {
        for at in 0..self.fresh.len() {
            let index = self.fresh[at];
            let entry = &mut self.entries[index as usize];
            let Place::Fresh { delay, .. } = entry.place else {
                unreachable!()
            };
            let at = self.heap.len() as u32;
            entry.place = Place::Heap { at };
            let sequence = entry.sequence;
            self.heap.push(Armed {
                deadline: now.saturating_add(delay),
                sequence,
                index,
            });
            self.rise(at as usize);
        }
        self.fresh.clear();
    }

    /// What an armed timer will do; `None` once it has fired or was cancelled.
    pub(crate) fn get_mut(&mut self, key: TimerKey) -> Option<&mut T> {
        let entry = self.entries.get_mut(key.index as usize)?;
        (entry.sequence == key.sequence).then_some(&mut entry.action)
    }

    /// Disarms a timer and gives back what it would have done, to be dropped by the caller.
    pub(crate) fn cancel(&mut self, key: TimerKey) -> Option<T> {
        self.get_mut(key)?;
        let entry = self.entries.remove(key.index as usize);
        match entry.place {
            Place::Fresh { at, .. } => self.remove_fresh(at as usize),
            Place::Heap { at } => self.remove_at(at as usize),
        }
        self.give_back();
        Some(entry.action)
    }

    /// The earliest deadline; what is not stamped yet does not count.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.heap.first().map(|armed| armed.deadline)
    }

    /// Takes the first timer, in order, whose deadline is `now` or earlier.
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<T> {
        let first = self.heap.first()?;
        if first.deadline > now || first.deadline == NEVER {
            return None;
        }
        let entry = self.entries.remove(first.index as usize);
        self.remove_at(0);
        self.give_back();
        Some(entry.action)
    }

    /// Takes a timer, the first if they are stamped, whether it is due or not.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let first = self.heap.first().map(|armed| armed.index);
        let index = first.or_else(|| self.fresh.last().copied())?;
        let sequence = self.entries[index as usize].sequence;
        self.cancel(TimerKey { index, sequence })
    }

    fn remove_fresh(&mut self, at: usize) {
        self.fresh.swap_remove(at);
        if let Some(&moved) = self.fresh.get(at)
            && let Place::Fresh { at: place, .. } = &mut self.entries[moved as usize].place
        {
            *place = at as u32;
        }
    }

    fn remove_at(&mut self, at: usize) {
        self.heap.swap_remove(at);
        if at < self.heap.len() {
            self.sink(at);
            self.rise(at);
        }
    }

    /// Moves the timer at `at` towards the root until its parent is not later.
    fn rise(&mut self, mut at: usize) {
        let moving = self.heap[at];
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if !moving.before(&self.heap[parent]) {
                break;
            }
            self.put(at, self.heap[parent]);
            at = parent;
        }
        self.put(at, moving);
    }

    /// Moves the timer at `at` away from the root until no child is earlier.
    fn sink(&mut self, mut at: usize) {
        let moving = self.heap[at];
        while let Some(child) = self.earliest_child(at) {
            if !self.heap[child].before(&moving) {
                break;
            }
            self.put(at, self.heap[child]);
            at = child;
        }
        self.put(at, moving);
    }

    fn earliest_child(&self, at: usize) -> Option<usize> {
        let first = at * ARITY + 1;
        let last = (first + ARITY).min(self.heap.len());
        let mut children = first..last;
        let mut earliest = children.next()?;
        for child in children {
            if self.heap[child].before(&self.heap[earliest]) {
                earliest = child;
            }
        }
        Some(earliest)
    }

    fn put(&mut self, at: usize, armed: Armed) {
        self.heap[at] = armed;
        self.entries[armed.index as usize].place = Place::Heap { at: at as u32 };
    }

    /// Returns memory that a burst of timers needed and the present ones do not.
    fn give_back(&mut self) {
        if self.heap.capacity() > KEPT && self.heap.len() < self.heap.capacity() / 4 {
            self.heap.shrink_to((self.heap.len() * 2).max(KEPT));
        }
        if self.entries.is_empty() && self.entries.capacity() > KEPT {
            self.entries = Slab::new();
            self.fresh = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn drain(timers: &mut Timers<u32>, now: u64) -> Vec<u32> {
        std::iter::from_fn(|| timers.pop_due(now)).collect()
    }

    #[test]
    fn equal_deadlines_fire_in_the_order_in_which_they_were_made() {
        let mut timers = Timers::new();
        for n in 0..100 {
            timers.insert(7, n);
        }
        assert_eq!(drain(&mut timers, 6), []);
        assert_eq!(drain(&mut timers, 7), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_fresh_timer_counts_from_the_stamp() {
        let mut timers = Timers::new();
        let cancelled = timers.insert_fresh(5, 1);
        timers.insert_fresh(5, 2);
        timers.insert_fresh(4, 3);
        assert_eq!(timers.next_deadline(), None);
        assert_eq!(timers.cancel(cancelled), Some(1));
        timers.stamp(100);
        assert_eq!(timers.next_deadline(), Some(104));
        assert_eq!(drain(&mut timers, 200), [3, 2]);
    }

    #[test]
    fn a_deadline_that_never_comes_does_not_fire_at_the_end_of_time() {
        let mut timers = Timers::new();
        timers.insert(NEVER, 1);
        assert_eq!(timers.pop_due(NEVER), None);
    }

    #[test]
    fn all_can_be_taken_in_order_whether_due_stamped_or_neither() {
        let mut timers = Timers::new();
        timers.insert_fresh(5, 3);
        timers.insert(NEVER, 2);
        timers.insert(7, 1);
        assert_eq!(
            [(); 4].map(|()| timers.pop()),
            [Some(1), Some(2), Some(3), None]
        );
    }

    #[test]
    fn a_stale_key_finds_nothing_in_a_reused_place() {
        let mut timers = Timers::new();
        let old = timers.insert(1, 1);
        assert_eq!(timers.pop_due(1), Some(1));
        let new = timers.insert(1, 2);
        assert_eq!(timers.cancel(old), None);
        assert_eq!(timers.get_mut(new), Some(&mut 2));
    }

    #[test]
    fn memory_follows_what_is_live() {
        let mut timers = Timers::new();
        let keys: Vec<_> = (0..100_000).map(|n| timers.insert(n, 0u32)).collect();
        for key in keys {
            timers.cancel(key);
        }
        assert!(timers.heap.capacity() <= 2 * KEPT && timers.entries.capacity() <= 2 * KEPT);
    }

    #[test]
    fn any_sequence_of_operations_agrees_with_a_sorted_map() {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let mut timers = Timers::new();
        let mut model: BTreeMap<(u64, u64), u32> = BTreeMap::new();
        let mut keys: Vec<(TimerKey, u64)> = Vec::new();
        let mut now = 0;
        for n in 0..50_000_u32 {
            match next() % 4 {
                0 | 1 => {
                    let deadline = now + next() % 500;
                    let key = timers.insert(deadline, n);
                    model.insert((deadline, key.sequence), n);
                    keys.push((key, deadline));
                }
                2 if !keys.is_empty() => {
                    let (key, deadline) = keys.swap_remove(next() as usize % keys.len());
                    let expected = model.remove(&(deadline, key.sequence));
                    assert_eq!(timers.cancel(key), expected);
                }
                _ => {
                    now += next() % 40;
                    let later = model.split_off(&(now + 1, 0));
                    let due: Vec<u32> =
                        std::mem::replace(&mut model, later).into_values().collect();
                    assert_eq!(drain(&mut timers, now), due);
                }
            }
            assert_eq!(
                timers.next_deadline(),
                model.keys().next().map(|&(deadline, _)| deadline)
            );
        }
    }
}
