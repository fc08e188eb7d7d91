//! A list of waiters in the order in which they came.
//!
//! The first waiter of an empty list is stored in the list itself; mostly it is the only one. The
//! entries of all others are in one vector, linked by their indices, and a free entry is used again:
//! once the vector has the length of the longest list so far, waiting allocates nothing. Entering,
//! serving the first waiter, and leaving from the middle take the same time for any length.
//!
//! The list never wakes or drops a waker or a request, but hands them out. So a caller that keeps a
//! list in a cell or under a lock can wake and drop them after it has released that.

use std::cell::Cell;
use std::ptr;
use std::task::Waker;

use crate::task::looking::PlaceInLine;

/// The index of no entry.
const NONE: u32 = u32::MAX;

/// Waiters that were not counted yet are counted no further, for a dump of many tasks in one line.
const AHEAD_MAX: usize = 1000;

/// The unserved waiters, and those that were served and have not left yet.
pub(crate) struct WaitList<T> {
    /// Comes before all others: it entered when none of them waited.
    alone: QueuedWait<T>,
    others: Vec<QueuedWait<T>>,
    /// The unserved ones of the others.
    waiting: Ends,
    /// The others that were served together and are still to be woken.
    to_wake: Ends,
    /// The first free entry of the others.
    free: u32,
    /// How many are unserved.
    len: u32,
}

/// The two ends of a chain of entries.
#[derive(Clone, Copy)]
struct Ends {
    first: u32,
    last: u32,
}

const EMPTY: Ends = Ends {
    first: NONE,
    last: NONE,
};

struct QueuedWait<T> {
    /// Taken out when the waiter is woken.
    waker: Option<Waker>,
    /// The request, which holds the grant once it is served. `None` in a free entry.
    request: Option<T>,
    /// Also true in a free entry.
    served: bool,
    /// Undefined in the first entry of a chain.
    previous: u32,
    next: u32,
}

/// The place of a waiter's entry, which is the waiter's own until it [leaves](WaitList::leave).
#[derive(Clone, Copy)]
pub(crate) enum Key {
    Alone,
    Other(u32),
}

/// The content of an entry whose waiter has left.
pub(crate) struct Left<T> {
    pub(crate) request: T,
    pub(crate) served: bool,
    /// Foreign code may run when it is dropped, so the caller must not hold a borrow or a lock then.
    pub(crate) waker: Option<Waker>,
}

impl<T> WaitList<T> {
    pub(crate) const fn new() -> Self {
        WaitList {
            alone: QueuedWait::free(),
            others: Vec::new(),
            waiting: EMPTY,
            to_wake: EMPTY,
            free: NONE,
            len: 0,
        }
    }

    /// How many waiters are unserved.
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many unserved waiters come before one that is unserved. It counts back to the waiter that was
    /// `last` counted in this line, or else no further than [`AHEAD_MAX`]: a dump asks for each waiter,
    /// mostly in their order.
    pub(crate) fn ahead_of(&self, key: Key, last: &Cell<PlaceInLine>) -> usize {
        let Key::Other(own) = key else {
            return 0;
        };
        let line = (ptr::from_ref(self).addr(), self.waiting.first, self.len);
        let known = Some(last.get()).filter(|it| it.line == line);
        let (mut index, mut passed) = (own, 0);
        let ahead = loop {
            if let Some(known) = known.filter(|it| it.waiter == index) {
                break known.ahead + passed;
            }
            let entry = self.others.get(index as usize).filter(|it| !it.served);
            match entry {
                Some(entry) if index != self.waiting.first && passed < AHEAD_MAX => {
                    index = entry.previous;
                    passed += 1;
                }
                _ => break passed + usize::from(!self.alone.served),
            }
        };
        last.set(PlaceInLine {
            line,
            waiter: own,
            ahead,
        });
        ahead
    }

    /// Enters a waiter at the end.
    #[inline]
    pub(crate) fn enter(&mut self, request: T, waker: Waker) -> Key {
        let is_first = self.len == 0 && self.to_wake.first == NONE;
        self.len += 1;
        if is_first && self.alone.request.is_none() {
            self.alone.take_in(request, waker);
            return Key::Alone;
        }
        Key::Other(self.enter_behind(request, waker))
    }

    fn enter_behind(&mut self, request: T, waker: Waker) -> u32 {
        let index = self.free;
        let Some(entry) = self.others.get_mut(index as usize) else {
            return self.grow(request, waker);
        };
        self.free = entry.next;
        entry.take_in(request, waker);
        push(&mut self.others, &mut self.waiting, index);
        index
    }

    #[cold]
    fn grow(&mut self, request: T, waker: Waker) -> u32 {
        let index = self.others.len() as u32; // the assertion keeps it in range
        assert!(index < NONE, "u32::MAX waiters in one list are too many");
        let mut entry = QueuedWait::free();
        entry.take_in(request, waker);
        self.others.push(entry);
        push(&mut self.others, &mut self.waiting, index);
        index
    }

    /// Serves the first waiter, if `give` agrees, and gives its waker.
    #[inline(always)]
    pub(crate) fn serve(&mut self, give: impl FnOnce(&mut T) -> bool) -> Option<Waker> {
        let (_, entry) = self.serve_first(give)?;
        entry.waker.take()
    }

    /// Serves one waiter after another, until `give` refuses. [`next_to_wake`](Self::next_to_wake)
    /// gives their wakers.
    pub(crate) fn serve_while(&mut self, mut give: impl FnMut(&mut T) -> bool) {
        while let Some((key, _)) = self.serve_first(&mut give) {
            if let Key::Other(index) = key {
                push(&mut self.others, &mut self.to_wake, index);
            }
        }
    }

    #[inline(always)]
    fn serve_first(
        &mut self,
        give: impl FnOnce(&mut T) -> bool,
    ) -> Option<(Key, &mut QueuedWait<T>)> {
        let first = self.waiting.first;
        let (key, entry) = match self.alone.served {
            true => (Key::Other(first), self.others.get_mut(first as usize)?),
            false => (Key::Alone, &mut self.alone),
        };
        if !give(entry.request.as_mut()?) {
            return None;
        }
        entry.served = true;
        if let Key::Other(_) = key {
            self.waiting.remove_first(entry.next);
        }
        self.len -= 1;
        Some((key, entry))
    }

    /// The waker of the next waiter that was served and not woken yet.
    pub(crate) fn next_to_wake(&mut self) -> Option<Waker> {
        if self.alone.served && self.alone.waker.is_some() {
            return self.alone.waker.take();
        }
        let entry = self.others.get_mut(self.to_wake.first as usize)?;
        self.to_wake.remove_first(entry.next);
        entry.waker.take()
    }

    #[inline]
    pub(crate) fn is_served(&mut self, key: Key) -> bool {
        self.entry(key).served
    }

    /// The waker of a waiter; `None` once it was taken out to wake it.
    #[inline]
    pub(crate) fn waker(&mut self, key: Key) -> Option<&mut Waker> {
        self.entry(key).waker.as_mut()
    }

    /// Removes a waiter, served or not, and frees its entry.
    #[inline(always)]
    pub(crate) fn leave(&mut self, key: Key) -> Left<T> {
        let entry = match key {
            Key::Alone => &mut self.alone,
            Key::Other(index) => &mut self.others[index as usize],
        };
        let left = entry.give_up();
        if !left.served {
            self.len -= 1;
        }
        match (key, &left.waker) {
            (Key::Alone, _) => {}
            (Key::Other(index), None) => entry.next = std::mem::replace(&mut self.free, index),
            (Key::Other(index), Some(_)) => self.unlink(index, left.served),
        }
        left
    }

    #[inline]
    fn entry(&mut self, key: Key) -> &mut QueuedWait<T> {
        match key {
            Key::Alone => &mut self.alone,
            Key::Other(index) => &mut self.others[index as usize],
        }
    }

    /// Takes one of the others out of its chain, and frees its entry.
    #[cold]
    fn unlink(&mut self, index: u32, served: bool) {
        let ends = match served {
            true => &mut self.to_wake,
            false => &mut self.waiting,
        };
        let entry = &mut self.others[index as usize];
        let (previous, next) = (entry.previous, entry.next);
        entry.next = std::mem::replace(&mut self.free, index);
        if ends.first == index {
            return ends.remove_first(next);
        }
        self.others[previous as usize].next = next;
        match next {
            NONE => ends.last = previous,
            next => self.others[next as usize].previous = previous,
        }
    }
}

impl<T> QueuedWait<T> {
    const fn free() -> Self {
        QueuedWait {
            waker: None,
            request: None,
            served: true,
            previous: NONE,
            next: NONE,
        }
    }

    #[inline]
    fn take_in(&mut self, request: T, waker: Waker) {
        self.waker = Some(waker);
        self.request = Some(request);
        self.served = false;
    }

    #[inline(always)]
    fn give_up(&mut self) -> Left<T> {
        Left {
            served: std::mem::replace(&mut self.served, true),
            waker: self.waker.take(),
            request: self
                .request
                .take()
                .expect("a key has an entry until it leaves"),
        }
    }
}

impl Ends {
    #[inline]
    fn remove_first(&mut self, next: u32) {
        self.first = next;
        if next == NONE {
            self.last = NONE;
        }
    }
}

/// Puts an entry that is in no chain at the end of one.
#[inline]
fn push<T>(entries: &mut [QueuedWait<T>], ends: &mut Ends, index: u32) {
    let last = std::mem::replace(&mut ends.last, index);
    let entry = &mut entries[index as usize];
    (entry.previous, entry.next) = (last, NONE);
    match last {
        NONE => ends.first = index,
        last => entries[last as usize].next = index,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(line: &mut WaitList<u32>, request: u32) -> Key {
        line.enter(request, Waker::noop().clone())
    }

    fn serve(line: &mut WaitList<u32>) -> Option<u32> {
        let mut served = None;
        line.serve(|request| {
            served = Some(*request);
            true
        });
        served
    }

    #[test]
    fn waiters_are_served_in_the_order_of_entering_without_those_that_left() {
        let mut line = WaitList::new();
        let keys: Vec<_> = (0..6).map(|n| enter(&mut line, n)).collect();
        for gone in [0, 3, 5] {
            let left = line.leave(keys[gone]);
            assert_eq!((left.request, left.served), (gone as u32, false));
        }
        assert_eq!(line.len(), 3);
        let served: Vec<_> = std::iter::from_fn(|| serve(&mut line)).collect();
        assert_eq!(served, [1, 2, 4]);
        assert!(line.is_empty());
    }

    #[test]
    fn an_entry_is_used_again_once_its_waiter_has_left() {
        let mut line = WaitList::new();
        for round in 0..1000 {
            let (one, two) = (enter(&mut line, round), enter(&mut line, round));
            assert_eq!(serve(&mut line), Some(round));
            assert!(line.leave(one).served);
            assert!(!line.leave(two).served);
        }
        assert_eq!(line.others.len(), 1);
    }

    #[test]
    fn a_served_waiter_keeps_its_entry_until_it_leaves() {
        let mut line = WaitList::new();
        let served = enter(&mut line, 1);
        assert_eq!(serve(&mut line), Some(1));
        let next = enter(&mut line, 2);
        assert!(line.is_served(served) && line.waker(served).is_none());
        assert!(!line.is_served(next) && line.waker(next).is_some());
        assert_eq!(line.leave(served).request, 1);
    }

    #[test]
    fn a_refused_waiter_stays_first() {
        let mut line = WaitList::new();
        let _first = enter(&mut line, 7);
        assert!(line.serve(|request| *request < 7).is_none());
        assert_eq!(line.len(), 1);
    }

    #[test]
    fn a_single_waiter_needs_no_allocation() {
        let mut line = WaitList::new();
        for round in 0..3 {
            let key = enter(&mut line, round);
            assert_eq!(serve(&mut line), Some(round));
            assert_eq!(line.leave(key).request, round);
        }
        assert_eq!(line.others.capacity(), 0);
    }

    #[test]
    fn a_waiter_that_enters_while_others_are_to_be_woken_is_woken_after_them() {
        let mut line = WaitList::new();
        let to_wake = |line: &mut WaitList<u32>| line.next_to_wake().is_some();
        let (first, second) = (enter(&mut line, 1), enter(&mut line, 2));
        line.serve_while(|_| true);
        assert!(to_wake(&mut line));
        line.leave(first);
        let third = enter(&mut line, 3);
        line.serve_while(|_| true);
        assert!(to_wake(&mut line));
        assert!(line.waker(second).is_none() && line.waker(third).is_some());
        assert!(to_wake(&mut line) && !to_wake(&mut line));
    }

    #[test]
    fn a_served_waiter_that_leaves_before_it_is_woken_is_not_woken() {
        let mut line = WaitList::new();
        let keys: Vec<_> = (0..4).map(|n| enter(&mut line, n)).collect();
        line.serve_while(|request| *request < 3);
        assert_eq!(line.len(), 1);
        assert!(line.leave(keys[1]).served);
        let to_wake = std::iter::from_fn(|| line.next_to_wake()).count();
        assert_eq!(to_wake, 2);
        assert_eq!(serve(&mut line), Some(3));
    }
}
