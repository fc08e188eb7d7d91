//! A ring of the latest values, each kept until every receiver of its time has seen it.

use std::collections::VecDeque;
use std::rc::Rc;

pub(super) struct Ring<T> {
    slots: VecDeque<RingSlot<T>>,
    capacity: usize,
    /// The number of the first slot.
    first: u64,
    receivers: usize,
}

struct RingSlot<T> {
    value: Rc<T>,
    unseen_by: usize,
}

/// The next value for a receiver.
pub(super) enum NextItem<T> {
    Value(Rc<T>),
    /// The receiver has missed this many values.
    Lost(u64),
    Nothing,
}

impl<T> Ring<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Ring {
            slots: VecDeque::new(),
            capacity,
            first: 0,
            receivers: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn receivers(&self) -> usize {
        self.receivers
    }

    /// The number that the next value will get.
    pub(super) fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// Counts another receiver, and gives the number of the first value that it will see.
    pub(super) fn subscribe(&mut self) -> u64 {
        self.receivers += 1;
        self.end()
    }

    /// Adds a value, for all present receivers; gives the value that had to make room for it.
    #[must_use = "it is to be dropped when nothing is borrowed any more"]
    pub(super) fn push(&mut self, value: Rc<T>) -> Option<Rc<T>> {
        let gone = match self.slots.len() == self.capacity {
            true => self.pop(),
            false => None,
        };
        let unseen_by = self.receivers;
        self.slots.push_back(RingSlot { value, unseen_by });
        gone
    }

    fn pop(&mut self) -> Option<Rc<T>> {
        let slot = self.slots.pop_front()?;
        self.first += 1;
        Some(slot.value)
    }

    /// The next value for a receiver, whose `number` moves on.
    pub(super) fn next(&mut self, number: &mut u64) -> NextItem<T> {
        let Some(place) = number.checked_sub(self.first) else {
            let lost = self.first - *number;
            *number = self.first;
            return NextItem::Lost(lost);
        };
        let Some(slot) = self.slots.get_mut(place as usize) else {
            return NextItem::Nothing;
        };
        *number += 1;
        slot.unseen_by -= 1;
        match slot.unseen_by {
            0 => self.pop().map_or(NextItem::Nothing, NextItem::Value), // earlier values were seen as well
            _ => NextItem::Value(slot.value.clone()),
        }
    }

    /// Removes a receiver; gives the values that only it had not seen.
    #[must_use = "they are to be dropped when nothing is borrowed any more"]
    pub(super) fn unsubscribe(&mut self, number: u64) -> VecDeque<Rc<T>> {
        self.receivers -= 1;
        let seen = number.saturating_sub(self.first) as usize;
        for slot in self.slots.iter_mut().skip(seen) {
            slot.unseen_by -= 1;
        }
        let mut gone = VecDeque::new();
        while self.slots.front().is_some_and(|slot| slot.unseen_by == 0) {
            gone.extend(self.pop());
        }
        gone
    }
}
