//! The engine of the queues: items in some order, and the tasks that wait at them.

#![expect(
    missing_debug_implementations,
    reason = "users see the queues, which have it"
)]

use std::cell::{Cell, RefCell};
use std::mem;
use std::thread;

use super::order::Order;
use crate::wait::queue::{Service, WaitQueue};

/// A public queue. Only this crate has any.
pub trait AnyQueue {
    /// The order in which its items leave.
    type Order: Order;

    /// Its engine.
    fn engine(&self) -> &Engine<Self::Order>;
}

/// A queue, apart from the methods that its users call.
pub struct Engine<O: Order> {
    items: RefCell<O>,
    pub(super) maxsize: usize,
    /// How many items were put so far.
    number: Cell<u64>,
    /// How many items were put and are not done.
    pub(super) unfinished: Cell<usize>,
    state: Cell<QueueState>,
    pub(super) getters: WaitQueue<Got<O::Item>>,
    pub(super) putters: WaitQueue<Option<O::Item>>,
    joiners: WaitQueue<()>,
}

/// An item that a waiter was given, with its number.
pub(in crate::sync) type Got<T> = Option<(u64, T)>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum QueueState {
    Open,
    /// Takes no more items, but gives the remaining ones.
    Draining,
    /// Neither takes nor gives items.
    Discarded,
}

impl<O: Order> Engine<O> {
    pub(super) fn new(maxsize: usize) -> Self {
        Engine {
            items: RefCell::default(),
            maxsize,
            number: Cell::new(0),
            unfinished: Cell::new(0),
            state: Cell::new(QueueState::Open),
            getters: WaitQueue::new(),
            putters: WaitQueue::new(),
            joiners: WaitQueue::new(),
        }
    }

    pub(super) fn shutdown(&self, immediate: bool) {
        let mut discarded = O::default();
        if immediate {
            self.state.set(QueueState::Discarded);
            discarded = self.items.take();
        } else if !self.is_shut_down() {
            self.state.set(QueueState::Draining);
        }
        self.putters.serve_while(|_| true);
        self.getters.serve_while(|_| true);
        self.finish(discarded.count());
    }

    #[inline]
    pub(super) fn is_shut_down(&self) -> bool {
        self.state.get() != QueueState::Open
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.items.borrow().count()
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.maxsize
    }

    /// Whether an item can be put now.
    #[inline(always)]
    pub(super) fn has_room(&self) -> bool {
        self.state.get() == QueueState::Open && (!self.getters.is_empty() || !self.is_full())
    }

    /// Takes the item out of `item`, if it can be put now.
    #[inline(always)]
    pub(super) fn accept(&self, item: &mut Option<O::Item>) {
        if !self.has_room() {
            return;
        }
        let number = self.count();
        let handed = self.getters.serve(|got| {
            *got = item.take().map(|item| (number, item));
            true
        });
        if !handed && let Some(item) = item.take() {
            self.items.borrow_mut().put(number, item);
        }
    }

    /// Counts an item that is put now, and gives its number.
    #[inline]
    fn count(&self) -> u64 {
        self.unfinished.set(self.unfinished.get() + 1);
        let number = self.number.get();
        self.number.set(number + 1);
        number
    }

    #[inline(always)]
    pub(super) fn take(&self) -> Option<O::Item> {
        let item = match O::COMPARES {
            false => self.items.borrow_mut().take()?,
            true => self.take_away().items.take()?,
        };
        if !self.putters.is_empty() {
            self.refill();
        }
        Some(item)
    }

    /// The items, away from the queue while they are compared, as that is foreign code.
    fn take_away(&self) -> Away<'_, O> {
        Away {
            items: self.items.take(),
            of: self,
        }
    }

    /// Takes the items of tasks that wait to put, as long as there is room.
    fn refill(&self) {
        self.putters.serve_while(|item| {
            let mut items = self.items.borrow_mut();
            let room = items.count() < self.maxsize;
            if room && let Some(item) = item.take() {
                items.put(self.count(), item);
            }
            room
        });
    }

    pub(super) fn finish(&self, n: usize) {
        let left = self.unfinished.get().saturating_sub(n); // an item may be done before it is got
        self.unfinished.set(left);
        if left == 0 {
            self.joiners.serve_while(|()| true);
        }
    }

    /// Passes on an item that a dropped waiter was given.
    pub(super) fn hand_on(&self, number: u64, item: O::Item) {
        if self.state.get() == QueueState::Discarded {
            return self.finish(1);
        }
        let mut got = Some((number, item));
        self.getters.serve(|next| {
            *next = got.take();
            true
        });
        if let Some((number, item)) = got {
            self.items.borrow_mut().put_back(number, item);
        }
    }
}

/// The items of a queue, which is empty meanwhile; however comparing them ends, they come back.
struct Away<'a, O: Order> {
    items: O,
    of: &'a Engine<O>,
}

impl<O: Order> Drop for Away<'_, O> {
    fn drop(&mut self) {
        let mut items = mem::take(&mut self.items);
        if thread::panicking() {
            // A comparison has panicked, so they may be in disorder: all are compared again.
            let out_of_order = mem::take(&mut items);
            items.append(out_of_order);
        }
        if self.of.state.get() == QueueState::Discarded {
            let count = items.count();
            drop(items);
            return self.of.finish(count);
        }
        let came = self.of.items.replace(items);
        self.of.items.borrow_mut().append(came);
    }
}

/// The request of a task that waits until all items are done.
pub(super) struct Joining<'a, O: Order>(pub(super) &'a Engine<O>);

impl<O: Order> Service for Joining<'_, O> {
    type Request = ();

    fn queue(&self) -> &WaitQueue<()> {
        &self.0.joiners
    }

    fn would_serve(&self, (): &()) -> bool {
        self.0.unfinished.get() == 0
    }

    fn abandoned(&self, (): (), _: bool) {}

    fn name(&self) -> &'static str {
        "the end of all work of a queue"
    }
}
