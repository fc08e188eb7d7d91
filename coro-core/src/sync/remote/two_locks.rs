//! `TwoLockQueue`: the values of a channel between threads, with a lock at each end.
//!
//! Senders put values at the back, under its lock. Receivers take them from the front, under another
//! lock. If the front is empty, a receiver takes both locks, and moves all that is at the back to the
//! front at once. So threads that send seldom meet those that receive.
//!
//! - The lock of the back comes first if both are taken. Waiters stand in lines at the back.
//! - A receiver waits only while both ends are empty. A value that is sent then goes to the first
//!   receiver in the line, and never into the queue.
//! - The capacity counts the values at both ends. Each receiver counts what it has taken, in `taken`,
//!   and each sender what it has put. A sender that finds no room by the count that it has seen last
//!   looks at `taken` again.
//! - Before a sender waits, it sets `is_awaited`, and then looks at `taken` for the last time. A
//!   receiver takes a value, counts it, and then looks at `is_awaited`. So one of the two sees the
//!   other: either there is room, or the receiver serves the line of senders.

use std::task::Waker;

use super::monitor::{Guarded, Monitor, Request};
use crate::panics::unpoisoned;
use crate::primitives::{AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering, fence_for_loom};
use crate::sync::queue::{Fifo, Got, Order};
use crate::wait::wait_list::WaitList;

/// The values, with the waiters of both sides.
pub(super) struct TwoLockQueue<T> {
    pub(super) back: OwnLines<Monitor<Back<T>>>,
    front: OwnLines<Front<T>>,
}

/// Keeps a value in lines of the cache that hold nothing else, as one thread writes there while
/// another thread writes next to it. Processors fetch such lines in pairs.
#[repr(align(128))]
pub(super) struct OwnLines<T>(pub(super) T);

pub(super) struct Back<T> {
    values: Fifo<T>,
    capacity: usize,
    /// How many values were put in the queue so far.
    put: usize,
    /// How many of them were taken, when a sender looked last.
    seen_taken: usize,
    /// How many values were given to waiting receivers so far.
    given: u64,
    pub(super) senders: usize,
    pub(super) receivers: usize,
    pub(super) getters: WaitList<Got<T>>,
    pub(super) putters: WaitList<Option<T>>,
}

struct Front<T> {
    values: Mutex<Fifo<T>>,
    /// How many values were taken from the queue so far. It changes under the lock of the front.
    taken: AtomicUsize,
    /// Whether senders may wait for room. It changes under the lock of the back.
    is_awaited: AtomicBool,
}

impl<T> Guarded for Back<T> {
    #[inline]
    fn next_to_wake(&mut self) -> Option<Waker> {
        let getter = self.getters.next_to_wake();
        getter.or_else(|| self.putters.next_to_wake())
    }
}

impl<T> TwoLockQueue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let back = Back {
            values: Fifo::default(),
            capacity,
            put: 0,
            seen_taken: 0,
            given: 0,
            senders: 1,
            receivers: 1,
            getters: WaitList::new(),
            putters: WaitList::new(),
        };
        let front = Front {
            values: Mutex::new(Fifo::default()),
            taken: AtomicUsize::new(0),
            is_awaited: AtomicBool::new(false),
        };
        TwoLockQueue {
            back: OwnLines(Monitor::new(back)),
            front: OwnLines(front),
        }
    }

    /// Takes the value out of `value`, if it can be sent now. Gives whether there are receivers.
    pub(super) fn try_send(&self, value: &mut Option<T>) -> bool {
        self.back.0.with(|back| {
            back.accept(&self.front.0, value);
            back.receivers > 0
        })
    }

    /// The next value, if there is one now, or else whether there are senders.
    pub(super) fn try_receive(&self) -> Result<T, bool> {
        self.take_from_front().ok_or(()).or_else(|()| {
            self.back.0.with(|back| {
                let taken = back.take(&self.front.0);
                taken.ok_or(back.senders > 0)
            })
        })
    }

    /// Takes a value by the lock of the front alone.
    #[inline]
    fn take_from_front(&self) -> Option<T> {
        let front = &self.front.0;
        let value = front.take(&mut front.lock())?;
        fence_for_loom();
        if front.is_awaited.load(Ordering::SeqCst) {
            self.serve_senders();
        }
        Some(value)
    }

    #[cold]
    fn serve_senders(&self) {
        self.back.0.with(|back| back.serve_putters(&self.front.0));
    }

    pub(super) fn len(&self) -> usize {
        self.back.0.with(|back| back.len(&self.front.0))
    }

    /// Removes a receiver. The last one takes all values along, for the caller to drop.
    pub(super) fn remove_receiver(&self) -> [Fifo<T>; 2] {
        self.back.0.with(|back| {
            back.receivers -= 1;
            if back.receivers > 0 {
                return Default::default();
            }
            back.putters.serve_while(|_| true);
            let values = &mut *self.front.0.lock();
            [std::mem::take(values), std::mem::take(&mut back.values)]
        })
    }
}

impl<T> Front<T> {
    fn lock(&self) -> MutexGuard<'_, Fifo<T>> {
        unpoisoned(self.values.lock())
    }

    /// Takes a value, and counts it.
    #[inline]
    fn take(&self, values: &mut Fifo<T>) -> Option<T> {
        let value = values.take()?;
        self.taken.fetch_add(1, Ordering::SeqCst);
        Some(value)
    }
}

impl<T> Back<T> {
    fn len(&self, front: &Front<T>) -> usize {
        self.values.count() + front.lock().count()
    }

    /// Whether there is room for a value in the queue.
    #[inline]
    fn has_room(&mut self, front: &Front<T>) -> bool {
        if self.put.wrapping_sub(self.seen_taken) < self.capacity {
            return true;
        }
        self.seen_taken = front.taken.load(Ordering::SeqCst);
        self.put.wrapping_sub(self.seen_taken) < self.capacity
    }

    /// Whether a value can be sent now, if no sender waits.
    fn is_open(&mut self, front: &Front<T>) -> bool {
        self.receivers > 0 && (!self.getters.is_empty() || self.has_room(front))
    }

    /// Takes the value out of `value`, if it can be sent now. Senders that wait come first.
    #[inline]
    fn accept(&mut self, front: &Front<T>, value: &mut Option<T>) {
        if !self.putters.is_empty() {
            self.serve_putters(front);
        }
        if self.putters.is_empty() && self.is_open(front) {
            self.give(value);
            if let Some(value) = value.take() {
                self.put(value);
            }
        }
    }

    #[inline]
    fn put(&mut self, value: T) {
        self.values.put(0, value); // this order needs no numbers
        self.put = self.put.wrapping_add(1);
    }

    /// Gives the value to the first receiver that waits, if one does.
    #[inline]
    fn give(&mut self, value: &mut Option<T>) {
        if !self.getters.is_empty() {
            let number = self.given;
            self.given += 1;
            self.hand_over(number, value);
        }
    }

    fn hand_over(&mut self, number: u64, value: &mut Option<T>) {
        self.getters.serve_while(|got| {
            let value = value.take().map(|value| (number, value));
            let any = value.is_some();
            if any {
                *got = value;
            }
            any
        });
    }

    /// Takes the values of senders that wait, as long as there is room.
    fn serve_putters(&mut self, front: &Front<T>) {
        while !self.putters.is_empty() && self.has_room(front) {
            let mut sent = None;
            self.putters.serve_while(|value| match sent.is_none() {
                true => {
                    sent = value.take();
                    true
                }
                false => false,
            });
            if let Some(value) = sent {
                self.put(value);
            }
        }
        if self.putters.is_empty() {
            front.is_awaited.store(false, Ordering::SeqCst);
        }
    }

    /// Takes a value from the front, which gets all values of the back if it is empty.
    fn take(&mut self, front: &Front<T>) -> Option<T> {
        let mut values = front.lock();
        if values.count() == 0 {
            std::mem::swap(&mut *values, &mut self.values);
        }
        let value = front.take(&mut values)?;
        drop(values);
        if !self.putters.is_empty() {
            self.serve_putters(front);
        }
        Some(value)
    }
}

/// The request of a task that sends.
pub(super) struct Send<'a, T>(pub(super) &'a TwoLockQueue<T>);

impl<T> Request<Back<T>> for Send<'_, T> {
    /// The value, until it is sent.
    type Entry = Option<T>;

    fn line(back: &mut Back<T>) -> &mut WaitList<Option<T>> {
        &mut back.putters
    }

    fn would_serve(&self, back: &mut Back<T>, _: &Option<T>) -> bool {
        back.is_open(&self.0.front.0) || back.receivers == 0
    }

    #[inline]
    fn try_serve(&self, back: &mut Back<T>, value: &mut Option<T>) -> bool {
        back.accept(&self.0.front.0, value);
        value.is_none() || back.receivers == 0
    }

    fn try_last(&self, back: &mut Back<T>, value: &mut Option<T>) -> bool {
        let front = &self.0.front.0;
        front.is_awaited.store(true, Ordering::SeqCst);
        fence_for_loom();
        let served = self.try_serve(back, value);
        if served && back.putters.is_empty() {
            front.is_awaited.store(false, Ordering::SeqCst);
        }
        served
    }
}

/// The request of a task that receives.
pub(super) struct Receive<'a, T>(pub(super) &'a TwoLockQueue<T>);

impl<T> Request<Back<T>> for Receive<'_, T> {
    type Entry = Got<T>;

    fn line(back: &mut Back<T>) -> &mut WaitList<Got<T>> {
        &mut back.getters
    }

    fn would_serve(&self, back: &mut Back<T>, _: &Got<T>) -> bool {
        back.len(&self.0.front.0) > 0 || back.senders == 0
    }

    #[inline]
    fn try_unlocked(&self, got: &mut Got<T>) -> bool {
        *got = self.0.take_from_front().map(|value| (0, value)); // it is not handed on, so its number is not used
        got.is_some()
    }

    fn try_serve(&self, back: &mut Back<T>, got: &mut Got<T>) -> bool {
        *got = back.take(&self.0.front.0).map(|value| (0, value));
        got.is_some() || back.senders == 0
    }

    /// The value goes to the next receiver, or back to its place before all others.
    fn abandoned(&self, back: &mut Back<T>, got: Got<T>, _: bool) -> Option<Got<T>> {
        let (number, value) = got?;
        let mut value = Some(value);
        back.hand_over(number, &mut value);
        if let Some(value) = value {
            self.0.front.0.lock().put_back(number, value);
            back.put = back.put.wrapping_add(1);
        }
        None
    }
}
