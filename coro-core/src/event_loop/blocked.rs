//! The waiters for the moment at which every task is blocked.

use std::cell::{Cell, RefCell};
use std::mem;
use std::rc::Rc;
use std::task::Waker;

use super::{Core, LoopHandle};

/// A place in the list of a loop, which serves it when nothing is ready.
pub(crate) struct BlockedWait {
    core: Rc<Core>,
    place: Rc<BlockedPlace>,
}

/// The list of a loop.
#[derive(Default)]
pub(super) struct WhenBlocked {
    places: RefCell<Vec<Rc<BlockedPlace>>>,
    /// Whether the list has a place: a loop that is about to sleep asks this.
    is_awaited: Cell<bool>,
}

#[derive(Default)]
struct BlockedPlace {
    waker: RefCell<Option<Waker>>,
    is_served: Cell<bool>,
}

impl WhenBlocked {
    #[inline]
    pub(super) fn is_awaited(&self) -> bool {
        self.is_awaited.get()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Rc<BlockedPlace>>) -> T) -> T {
        let mut places = self.places.borrow_mut();
        let value = change(&mut places);
        self.is_awaited.set(!places.is_empty());
        value
    }
}

impl Core {
    /// Wakes those that wait until all tasks are blocked; gives whether there are any.
    #[cold]
    pub(super) fn serve_when_blocked(&self) -> bool {
        let places = self.when_blocked.change(mem::take);
        for place in &places {
            place.is_served.set(true);
            let waker = place.waker.take();
            if let Some(waker) = waker {
                self.scheduler.wake(waker);
            }
        }
        !places.is_empty()
    }
}

impl LoopHandle {
    /// Enters the list of those that the loop wakes when nothing is ready.
    pub(crate) fn wait_when_blocked(&self) -> BlockedWait {
        let place = Rc::<BlockedPlace>::default();
        let when_blocked = &self.core().when_blocked;
        when_blocked.change(|places| places.push(place.clone()));
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
        let when_blocked = &self.core.when_blocked;
        when_blocked.change(|places| places.retain(|place| !Rc::ptr_eq(place, &self.place)));
    }
}
