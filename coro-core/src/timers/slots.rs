//! Slots for the actions of armed timers; a slot never moves.
//!
//! The slots are in pages. So growing never copies the existing slots, which would delay the loop,
//! and a page gives its memory back when its last timer is gone.

use super::{TimerKey, TimerPlace};

/// Slots in a page.
const PAGE: usize = 512;

/// A page doubles its capacity up to this many slots, and then grows to its full size.
const FEW: usize = 32;

pub(super) struct Slots<T> {
    pages: Vec<Page<T>>,
    /// Pages with a vacant slot; the last one in the list is filled first.
    vacant: Vec<u32>,
    /// The page that keeps its memory while it is empty, so that a lone timer does not allocate
    /// again.
    spared: usize,
    /// How often a timer's slot was looked at: the measure of a call's work.
    #[cfg(test)]
    pub(super) looks: std::cell::Cell<usize>,
}

struct Page<T> {
    slots: Vec<TimerSlot<T>>,
    armed: usize,
    /// The vacant slot to use next, or one past the last slot.
    vacant: u32,
}

enum TimerSlot<T> {
    Armed(SlotEntry<T>),
    Vacant { next: u32 },
}

struct SlotEntry<T> {
    action: T,
    sequence: u64,
    place: TimerPlace,
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Slots {
            pages: Vec::new(),
            vacant: Vec::new(),
            spared: 0,
            #[cfg(test)]
            looks: std::cell::Cell::new(0),
        }
    }

    #[inline(always)]
    pub(super) fn insert(&mut self, sequence: u64, place: TimerPlace, action: T) -> TimerKey {
        let number = match self.vacant.last() {
            Some(&number) => number,
            None => self.add_page(),
        };
        let page = &mut self.pages[number as usize];
        let at = page.insert(SlotEntry {
            action,
            sequence,
            place,
        });
        if page.armed == PAGE {
            self.close();
        }
        TimerKey {
            index: number * PAGE as u32 + at,
            sequence,
        }
    }

    #[cold]
    fn add_page(&mut self) -> u32 {
        let number = self.pages.len();
        assert!(
            number < u32::MAX as usize / PAGE,
            "more than 4 billion timers are armed"
        );
        self.pages.push(Page::new());
        self.vacant.push(number as u32);
        number as u32
    }

    fn entry(&self, key: TimerKey) -> Option<&SlotEntry<T>> {
        #[cfg(test)]
        self.looks.update(|looks| looks + 1);
        let page = self.pages.get(key.index as usize / PAGE)?;
        match page.slots.get(key.index as usize % PAGE)? {
            TimerSlot::Armed(entry) if entry.sequence == key.sequence => Some(entry),
            _ => None,
        }
    }

    fn entry_mut(&mut self, key: TimerKey) -> Option<&mut SlotEntry<T>> {
        #[cfg(test)]
        self.looks.update(|looks| looks + 1);
        let page = self.pages.get_mut(key.index as usize / PAGE)?;
        match page.slots.get_mut(key.index as usize % PAGE)? {
            TimerSlot::Armed(entry) if entry.sequence == key.sequence => Some(entry),
            _ => None,
        }
    }

    pub(super) fn is_armed(&self, key: TimerKey) -> bool {
        self.entry(key).is_some()
    }

    pub(super) fn place(&self, key: TimerKey) -> Option<TimerPlace> {
        Some(self.entry(key)?.place)
    }

    pub(super) fn action(&self, key: TimerKey) -> Option<&T> {
        Some(&self.entry(key)?.action)
    }

    pub(super) fn action_mut(&mut self, key: TimerKey) -> Option<&mut T> {
        Some(&mut self.entry_mut(key)?.action)
    }

    /// Notes the place of a timer, if it is still armed.
    pub(super) fn put(&mut self, key: TimerKey, place: TimerPlace) -> bool {
        let entry = self.entry_mut(key);
        entry.map(|entry| entry.place = place).is_some()
    }

    /// Takes out a timer's place and action, if it is still armed.
    #[inline(always)]
    pub(super) fn remove(&mut self, key: TimerKey) -> Option<(TimerPlace, T)> {
        let number = key.index as usize / PAGE;
        let page = self.pages.get_mut(number)?;
        let removed = page.remove(key.index % PAGE as u32, key.sequence)?;
        let armed = page.armed;
        if armed == PAGE - 1 {
            self.reopen(number);
        } else if armed == 0 && number != self.spared {
            self.give_back(number);
        }
        Some(removed)
    }

    /// Takes the page that was filled last, and is full now, out of the list.
    #[cold]
    fn close(&mut self) {
        self.vacant.pop();
    }

    #[cold]
    fn reopen(&mut self, number: usize) {
        self.vacant.push(number as u32);
    }

    /// Frees the memory of the page that was spared, if it is empty, and spares this empty page.
    #[cold]
    fn give_back(&mut self, number: usize) {
        let spared = &mut self.pages[self.spared];
        if spared.armed == 0 {
            *spared = Page::new();
        }
        self.spared = number;
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.pages.iter().map(|page| page.slots.capacity()).sum()
    }
}

impl<T> Page<T> {
    const fn new() -> Self {
        Page {
            slots: Vec::new(),
            armed: 0,
            vacant: 0,
        }
    }

    #[inline(always)]
    fn insert(&mut self, new: SlotEntry<T>) -> u32 {
        let at = self.vacant;
        self.armed += 1;
        match self.slots.get_mut(at as usize) {
            Some(slot) => match *slot {
                TimerSlot::Vacant { next } => {
                    self.vacant = next;
                    *slot = TimerSlot::Armed(new);
                }
                TimerSlot::Armed(_) => unreachable!("a slot in the list of vacant ones is armed"),
            },
            None => self.push(new),
        }
        at
    }

    /// Adds a slot; reserves a few at first, then all that a page may have.
    #[cold]
    fn push(&mut self, new: SlotEntry<T>) {
        let len = self.slots.len();
        if len == self.slots.capacity() && len >= FEW {
            self.slots.reserve_exact(PAGE - len);
        }
        self.slots.push(TimerSlot::Armed(new));
        self.vacant = self.slots.len() as u32;
    }

    #[inline(always)]
    fn remove(&mut self, at: u32, sequence: u64) -> Option<(TimerPlace, T)> {
        let slot = self.slots.get_mut(at as usize)?;
        if !matches!(slot, TimerSlot::Armed(entry) if entry.sequence == sequence) {
            return None;
        }
        let vacant = TimerSlot::Vacant { next: self.vacant };
        self.vacant = at;
        self.armed -= 1;
        match std::mem::replace(slot, vacant) {
            TimerSlot::Armed(entry) => Some((entry.place, entry.action)),
            TimerSlot::Vacant { .. } => None,
        }
    }
}
