//! Waiting for another task, with room for one waiter.

use std::cell::Cell;
use std::task::{Context, Waker};

/// The waker of the task that polled last.
///
/// [`wait`](Self::wait) and [`wake`](Self::wake) may run foreign code. So the caller has to check
/// again after `wait` whether there is still a reason to wait.
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

    /// Drops the waker without waking it.
    #[inline]
    pub(crate) fn forget(&self) {
        drop(self.0.take());
    }
}
