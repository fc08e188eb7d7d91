//! Waiting for another task, alone.

use std::cell::Cell;
use std::task::{Context, Waker};

/// A place for one waiter: whoever polled last.
///
/// Waking it, and taking a place in it, may run foreign code. Look again after
/// [`wait`](Self::wait) whether there is anything to wait for.
#[derive(Default)]
pub(crate) struct OneWaiter(Cell<Option<Waker>>);

impl OneWaiter {
    #[inline]
    pub(crate) fn wait(&self, cx: &Context<'_>) {
        let before = self.0.take();
        match before {
            Some(waker) if waker.will_wake(cx.waker()) => self.0.set(Some(waker)),
            before => {
                let replaced = self.0.replace(Some(cx.waker().clone()));
                drop((before, replaced));
            }
        }
    }

    #[inline]
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.0.take() {
            waker.wake();
        }
    }

    /// Wakes nobody any more.
    pub(crate) fn forget(&self) {
        drop(self.0.take());
    }
}
