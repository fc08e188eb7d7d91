//! The waiters for the moment at which every task is blocked.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

use super::{Core, LoopHandle};

/// A place in the list of a loop, which serves it when nothing is ready.
pub(crate) struct BlockedWait {
    core: Rc<Core>,
    place: Rc<BlockedPlace>,
}

#[derive(Default)]
pub(super) struct BlockedPlace {
    waker: RefCell<Option<Waker>>,
    is_served: Cell<bool>,
}

impl Core {
    /// Wakes those that wait until all tasks are blocked; gives whether there are any.
    pub(super) fn serve_when_blocked(&self) -> bool {
        let waiters = self.when_blocked.take();
        for place in &waiters {
            place.is_served.set(true);
            let waker = place.waker.take();
            if let Some(waker) = waker {
                self.scheduler.wake(waker);
            }
        }
        !waiters.is_empty()
    }

    pub(super) fn is_awaited_when_blocked(&self) -> bool {
        !self.when_blocked.borrow().is_empty()
    }
}

impl LoopHandle {
    /// Enters the list of those that the loop wakes when nothing is ready.
    pub(crate) fn wait_when_blocked(&self) -> BlockedWait {
        let place = Rc::<BlockedPlace>::default();
        self.core().when_blocked.borrow_mut().push(place.clone());
        BlockedWait {
            core: self.core().clone(),
            place,
        }
    }
}

impl BlockedWait {
    /// Whether the wait is over; if not, `waker` will be woken.
    pub(crate) fn is_over(&self, waker: &Waker) -> bool {
        let before = self.place.waker.replace(Some(waker.clone()));
        drop(before);
        self.place.is_served.get()
    }
}

impl Drop for BlockedWait {
    fn drop(&mut self) {
        let mut waiters = self.core.when_blocked.borrow_mut();
        waiters.retain(|place| !Rc::ptr_eq(place, &self.place));
    }
}
