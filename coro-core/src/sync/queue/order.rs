//! The orders in which items leave a queue.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// The order in which items leave a [`QueueOf`](super::QueueOf): [`Fifo`], [`Priority`] or [`Lifo`].
///
/// It is not to be implemented elsewhere. Each item has a number, in the order in which they were
/// put.
pub trait Order: Default {
    /// What the queue is of.
    type Item;

    /// Whether [`take`](Self::take) compares items, which is foreign code.
    #[doc(hidden)]
    const COMPARES: bool = false;

    /// How many items there are.
    #[doc(hidden)]
    fn count(&self) -> usize;

    /// Takes in an item that has just been put.
    #[doc(hidden)]
    fn put(&mut self, number: u64, item: Self::Item);

    /// Takes in an item that had left before, to stand where it would have.
    #[doc(hidden)]
    fn put_back(&mut self, number: u64, item: Self::Item);

    /// The next to leave.
    #[doc(hidden)]
    fn take(&mut self) -> Option<Self::Item>;

    /// Takes in all that came while these were away to be compared.
    #[doc(hidden)]
    fn append(&mut self, _: Self) {}
}

/// First in, first out.
pub struct Fifo<T> {
    items: VecDeque<T>,
    /// Older than all items, the oldest last.
    returned: Vec<(u64, T)>,
}

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Fifo {
            items: VecDeque::new(),
            returned: Vec::new(),
        }
    }
}

impl<T> Order for Fifo<T> {
    type Item = T;

    #[inline]
    fn count(&self) -> usize {
        self.items.len() + self.returned.len()
    }

    #[inline]
    fn put(&mut self, _: u64, item: T) {
        self.items.push_back(item);
    }

    fn put_back(&mut self, number: u64, item: T) {
        let place = self.returned.partition_point(|(other, _)| *other > number);
        self.returned.insert(place, (number, item));
    }

    #[inline]
    fn take(&mut self) -> Option<T> {
        match self.returned.pop() {
            Some((_, item)) => Some(item),
            None => self.items.pop_front(),
        }
    }
}

/// Last in, first out.
pub struct Lifo<T>(Vec<(u64, T)>);

impl<T> Default for Lifo<T> {
    fn default() -> Self {
        Lifo(Vec::new())
    }
}

impl<T> Order for Lifo<T> {
    type Item = T;

    fn count(&self) -> usize {
        self.0.len()
    }

    fn put(&mut self, number: u64, item: T) {
        self.0.push((number, item));
    }

    fn put_back(&mut self, number: u64, item: T) {
        let place = self.0.partition_point(|(other, _)| *other < number);
        self.0.insert(place, (number, item));
    }

    fn take(&mut self) -> Option<T> {
        self.0.pop().map(|(_, item)| item)
    }
}

/// The least first; of equal ones, the one that was put first.
pub struct Priority<T> {
    ranked: BinaryHeap<Ranked<T>>,
    /// Those that have not been compared yet: only taking does that.
    fresh: Vec<Ranked<T>>,
}

struct Ranked<T> {
    item: T,
    number: u64,
}

impl<T: Ord> Ord for Ranked<T> {
    /// Greatest is what leaves first.
    fn cmp(&self, other: &Self) -> Ordering {
        let items = other.item.cmp(&self.item);
        items.then_with(|| other.number.cmp(&self.number))
    }
}

impl<T: Ord> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Ranked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Ord> Eq for Ranked<T> {}

impl<T: Ord> Default for Priority<T> {
    fn default() -> Self {
        Priority {
            ranked: BinaryHeap::new(),
            fresh: Vec::new(),
        }
    }
}

impl<T: Ord> Order for Priority<T> {
    type Item = T;

    const COMPARES: bool = true;

    fn count(&self) -> usize {
        self.ranked.len() + self.fresh.len()
    }

    fn put(&mut self, number: u64, item: T) {
        self.fresh.push(Ranked { item, number });
    }

    fn put_back(&mut self, number: u64, item: T) {
        self.put(number, item);
    }

    fn take(&mut self) -> Option<T> {
        while let Some(fresh) = self.fresh.pop() {
            self.ranked.push(fresh); // it is in, also if comparing it panics
        }
        self.ranked.pop().map(|ranked| ranked.item)
    }

    fn append(&mut self, other: Self) {
        self.fresh.extend(other.ranked);
        self.fresh.extend(other.fresh);
    }
}
