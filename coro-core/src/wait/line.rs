//! A line of waiters.
//!
//! The entries stand in one vector, linked by their indices, and a free one is used again: once
//! the vector has grown to the longest line that there has been, waiting allocates nothing.
//! Entering, serving the first, and leaving from the middle take the same time however long the
//! line is.
//!
//! Nothing in here calls anything: wakers and requests are handed out, so that whoever keeps a line
//! in a cell or under a lock can wake and drop them after letting go of it.

use std::task::Waker;

const NOBODY: u32 = u32::MAX;

/// Who waits, in the order in which they came, and who was served and has not gone yet.
pub(crate) struct Line<T> {
    entries: Vec<Entry<T>>,
    waiting: Ends,
    /// Who was served and is still to be woken.
    called: Ends,
    free: u32,
    len: u32,
}

#[derive(Clone, Copy)]
struct Ends {
    first: u32,
    last: u32,
}

const EMPTY: Ends = Ends {
    first: NOBODY,
    last: NOBODY,
};

struct Entry<T> {
    /// Whom to wake. Who has been woken has none any more.
    waker: Option<Waker>,
    /// What is asked for, and then what was given. A free entry has none.
    request: Option<T>,
    served: bool,
    previous: u32,
    next: u32,
}

/// Where a waiter stands: its entry is its own until it [leaves](Line::leave).
pub(crate) struct Key(u32);

/// What a waiter takes along.
pub(crate) struct Left<T> {
    pub(crate) request: T,
    pub(crate) served: bool,
    /// To be dropped when nothing is borrowed any more.
    pub(crate) waker: Option<Waker>,
}

impl<T> Line<T> {
    pub(crate) const fn new() -> Self {
        Line {
            entries: Vec::new(),
            waiting: EMPTY,
            called: EMPTY,
            free: NOBODY,
            len: 0,
        }
    }

    /// How many wait to be served.
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Enters at the end.
    pub(crate) fn enter(&mut self, request: T, waker: Waker) -> Key {
        let entry = Entry {
            waker: Some(waker),
            request: Some(request),
            served: false,
            previous: NOBODY,
            next: NOBODY,
        };
        let index = self.store(entry);
        push(&mut self.entries, &mut self.waiting, index);
        self.len += 1;
        Key(index)
    }

    fn store(&mut self, entry: Entry<T>) -> u32 {
        match self.free {
            NOBODY => {
                let index = self.entries.len() as u32; // memory ends long before the numbers do
                assert!(index < NOBODY, "four thousand million waiters in one line");
                self.entries.push(entry);
                index
            }
            index => {
                let free = &mut self.entries[index as usize];
                self.free = free.next;
                *free = entry;
                index
            }
        }
    }

    /// Serves the first, if `give` agrees, and gives whom to wake.
    #[inline]
    pub(crate) fn serve(&mut self, give: impl FnOnce(&mut T) -> bool) -> Option<Waker> {
        let index = self.serve_first(give)?;
        self.entries[index as usize].waker.take()
    }

    /// Serves one after another, until `give` refuses. Whom to wake is told by
    /// [`next_called`](Self::next_called).
    pub(crate) fn serve_while(&mut self, mut give: impl FnMut(&mut T) -> bool) {
        while let Some(index) = self.serve_first(&mut give) {
            push(&mut self.entries, &mut self.called, index);
        }
    }

    #[inline]
    fn serve_first(&mut self, give: impl FnOnce(&mut T) -> bool) -> Option<u32> {
        let index = self.waiting.first;
        let entry = self.entries.get_mut(index as usize)?;
        if !give(entry.request.as_mut()?) {
            return None;
        }
        entry.served = true;
        unlink(&mut self.entries, &mut self.waiting, index);
        self.len -= 1;
        Some(index)
    }

    /// The next who was served and not woken yet.
    pub(crate) fn next_called(&mut self) -> Option<Waker> {
        let index = self.called.first;
        let waker = self.entries.get_mut(index as usize)?.waker.take();
        unlink(&mut self.entries, &mut self.called, index);
        waker
    }

    pub(crate) fn is_served(&self, key: &Key) -> bool {
        self.entries[key.0 as usize].served
    }

    /// Whom to wake when this one is served; `None` once that has been done.
    #[inline]
    pub(crate) fn waker(&mut self, key: &Key) -> Option<&mut Waker> {
        self.entries[key.0 as usize].waker.as_mut()
    }

    /// Goes away, served or not; the entry is free for the next.
    #[inline]
    pub(crate) fn leave(&mut self, key: Key) -> Left<T> {
        let entry = &mut self.entries[key.0 as usize];
        let served = entry.served;
        let (waker, request) = (entry.waker.take(), entry.request.take());
        match (&waker, served) {
            (None, _) => {} // in no order any more
            (Some(_), true) => unlink(&mut self.entries, &mut self.called, key.0),
            (Some(_), false) => {
                unlink(&mut self.entries, &mut self.waiting, key.0);
                self.len -= 1;
            }
        }
        self.entries[key.0 as usize].next = self.free;
        self.free = key.0;
        Left {
            request: request.expect("whoever has a key has an entry"),
            served,
            waker,
        }
    }
}

/// Puts an entry that is in no order at the end of one.
fn push<T>(entries: &mut [Entry<T>], ends: &mut Ends, index: u32) {
    let last = ends.last;
    let entry = &mut entries[index as usize];
    (entry.previous, entry.next) = (last, NOBODY);
    match last {
        NOBODY => ends.first = index,
        last => entries[last as usize].next = index,
    }
    ends.last = index;
}

/// Takes an entry out of the order it is in.
#[inline]
fn unlink<T>(entries: &mut [Entry<T>], ends: &mut Ends, index: u32) {
    let Entry { previous, next, .. } = entries[index as usize];
    match previous {
        NOBODY => ends.first = next,
        previous => entries[previous as usize].next = next,
    }
    match next {
        NOBODY => ends.last = previous,
        next => entries[next as usize].previous = previous,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(line: &mut Line<u32>, request: u32) -> Key {
        line.enter(request, Waker::noop().clone())
    }

    fn serve(line: &mut Line<u32>) -> Option<u32> {
        let mut served = None;
        line.serve(|request| {
            served = Some(*request);
            true
        });
        served
    }

    #[test]
    fn whoever_came_first_is_served_first_and_who_left_is_passed_over() {
        let mut line = Line::new();
        let mut keys: Vec<_> = (0..6).map(|n| Some(enter(&mut line, n))).collect();
        for gone in [0, 3, 5] {
            let left = line.leave(keys[gone].take().unwrap());
            assert_eq!((left.request, left.served), (gone as u32, false));
        }
        assert_eq!(line.len(), 3);
        let served: Vec<_> = std::iter::from_fn(|| serve(&mut line)).collect();
        assert_eq!(served, [1, 2, 4]);
        assert!(line.is_empty());
    }

    #[test]
    fn entries_are_used_again_once_their_waiters_have_gone() {
        let mut line = Line::new();
        for round in 0..1000 {
            let (one, two) = (enter(&mut line, round), enter(&mut line, round));
            assert_eq!(serve(&mut line), Some(round));
            assert!(line.leave(one).served);
            assert!(!line.leave(two).served);
        }
        assert_eq!(line.entries.len(), 2);
    }

    #[test]
    fn the_entry_of_one_who_was_served_is_kept_until_it_goes() {
        let mut line = Line::new();
        let served = enter(&mut line, 1);
        assert_eq!(serve(&mut line), Some(1));
        let next = enter(&mut line, 2);
        assert!(line.is_served(&served) && line.waker(&served).is_none());
        assert!(!line.is_served(&next) && line.waker(&next).is_some());
        assert_eq!(line.leave(served).request, 1);
    }

    #[test]
    fn the_first_may_be_left_standing() {
        let mut line = Line::new();
        let _first = enter(&mut line, 7);
        assert!(line.serve(|request| *request < 7).is_none());
        assert_eq!(line.len(), 1);
    }

    #[test]
    fn who_was_served_and_leaves_before_being_called_is_not_called() {
        let mut line = Line::new();
        let mut keys: Vec<_> = (0..4).map(|n| Some(enter(&mut line, n))).collect();
        line.serve_while(|request| *request < 3);
        assert_eq!(line.len(), 1);
        assert!(line.leave(keys[1].take().unwrap()).served);
        let called = std::iter::from_fn(|| line.next_called()).count();
        assert_eq!(called, 2);
        assert_eq!(serve(&mut line), Some(3));
    }
}
