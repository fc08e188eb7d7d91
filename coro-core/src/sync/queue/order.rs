//! The orders in which items leave a queue.

#![expect(
    missing_debug_implementations,
    reason = "users see the queues, which have it"
)]

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// The order in which items leave a queue. Items are numbered in the order in which they were put.
pub trait Order: Default {
    /// The type of the items.
    type Item;

    /// Whether [`take`](Self::take) compares items, which is foreign code.
    const COMPARES: bool = false;

    /// How many items there are.
    fn count(&self) -> usize;

    /// Adds an item that has just been put.
    fn put(&mut self, number: u64, item: Self::Item);

    /// Adds an item that was taken before, at its original place.
    fn put_back(&mut self, number: u64, item: Self::Item);

    /// Takes the next item.
    fn take(&mut self) -> Option<Self::Item>;

    /// Takes in all that came while these were away to be compared.
    fn append(&mut self, _: Self) {}
}

/// First in, first out.
pub struct Fifo<T> {
    items: VecDeque<T>,
    /// Items that were put back: older than all of `items`, the oldest last.
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

/// The least item first; of equal items, the one that was put first.
pub struct Priority<T> {
    ranked: BinaryHeap<Ranked<T>>,
    /// Items that have not been compared yet: only taking compares.
    uncompared: Vec<Ranked<T>>,
}

struct Ranked<T> {
    item: T,
    number: u64,
}

impl<T: Ord> Ord for Ranked<T> {
    /// The greatest leaves first.
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
            uncompared: Vec::new(),
        }
    }
}

impl<T: Ord> Order for Priority<T> {
    type Item = T;

    const COMPARES: bool = true;

    fn count(&self) -> usize {
        self.ranked.len() + self.uncompared.len()
    }

    fn put(&mut self, number: u64, item: T) {
        self.uncompared.push(Ranked { item, number });
    }

    fn put_back(&mut self, number: u64, item: T) {
        self.put(number, item);
    }

    fn take(&mut self) -> Option<T> {
        while let Some(uncompared) = self.uncompared.pop() {
            self.ranked.push(uncompared); // it is in, also if comparing it panics
        }
        self.ranked.pop().map(|ranked| ranked.item)
    }

    fn append(&mut self, other: Self) {
        self.uncompared.extend(other.ranked);
        self.uncompared.extend(other.uncompared);
    }
}
