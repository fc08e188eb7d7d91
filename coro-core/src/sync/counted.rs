//! `Counted`: a shared channel, as a sender holds it.

use std::cell::Cell;
use std::ops::Deref;
use std::rc::Rc;

/// The part of a channel that its senders and receivers share.
pub(super) trait HasSenders {
    /// How many senders there are.
    fn senders(&self) -> &Cell<usize>;

    /// The last sender was dropped.
    fn close(&self);
}

/// Counts as one sender while it lives.
pub(super) struct Counted<S: HasSenders>(Rc<S>);

impl<S: HasSenders> Counted<S> {
    pub(super) fn new(shared: Rc<S>) -> Self {
        shared.senders().set(shared.senders().get() + 1);
        Counted(shared)
    }

    pub(super) fn shared(&self) -> &Rc<S> {
        &self.0
    }
}

impl<S: HasSenders> Clone for Counted<S> {
    fn clone(&self) -> Self {
        Counted::new(self.0.clone())
    }
}

impl<S: HasSenders> Drop for Counted<S> {
    fn drop(&mut self) {
        let left = self.0.senders().get() - 1;
        self.0.senders().set(left);
        if left == 0 {
            self.0.close();
        }
    }
}

impl<S: HasSenders> Deref for Counted<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0
    }
}
