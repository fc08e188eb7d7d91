//! Waiting for a change that another task announces.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use super::queue::wake_each;
use crate::task::{Step, budget, looking};

/// The waiters for a condition. Each announcement wakes all of them, to ask again whether it holds.
#[derive(Default)]
pub(crate) struct Change {
    waiting: RefCell<Vec<(u64, Waker)>>,
    last: Cell<u64>,
}

impl Change {
    /// Waits until `holds` gives true. It is called at once, and again after each change.
    pub(crate) async fn until(&self, holds: impl Fn() -> bool) {
        let waiting = WaitingForChange {
            change: self,
            number: self.last.replace(self.last.get() + 1),
        };
        poll_fn(|cx| waiting.poll(&holds, cx)).await;
    }

    /// Wakes all waiters, as the condition may hold now.
    #[inline]
    pub(crate) fn announce(&self) {
        let mut woken = self.waiting.take().into_iter(); // wakers may be foreign: woken outside of it
        wake_each(|| woken.next().map(|(_, waiter)| waiter));
    }

    #[inline]
    fn knows(&self, number: u64, waker: &Waker) -> bool {
        let waiting = self.waiting.borrow();
        let is_it = |it: &&(u64, Waker)| it.0 == number;
        waiting
            .iter()
            .find(is_it)
            .is_some_and(|it| it.1.will_wake(waker))
    }

    #[inline]
    fn forget(&self, number: u64) {
        let mut waiting = self.waiting.borrow_mut();
        let at = waiting.iter().position(|it| it.0 == number);
        let forgotten = at.map(|at| waiting.swap_remove(at));
        drop(waiting);
        drop(forgotten);
    }
}

struct WaitingForChange<'a> {
    change: &'a Change,
    number: u64,
}

impl WaitingForChange<'_> {
    fn poll(&self, holds: impl Fn() -> bool, cx: &mut Context<'_>) -> Poll<()> {
        if holds() {
            self.change.forget(self.number);
            return budget::poll(cx);
        }
        if !self.change.knows(self.number, cx.waker()) {
            self.change.forget(self.number);
            let waiter = cx.waker().clone();
            self.change.waiting.borrow_mut().push((self.number, waiter));
        }
        if looking::is_looking() {
            let of = "a change in the connections of a server";
            looking::leaf(Step::Notice { of });
        }
        Poll::Pending
    }
}

impl Drop for WaitingForChange<'_> {
    #[inline]
    fn drop(&mut self) {
        self.change.forget(self.number);
    }
}
