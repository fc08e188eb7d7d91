//! `CallHandle` and `TimerHandle`, which cancel callouts.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Instant;

use super::Core;
use crate::task::Callout;
use crate::timers::TimerKey;

/// A registered callout. Dropping this does not cancel it.
pub struct CallHandle {
    pub(super) callout: Callout,
    pub(super) core: Rc<Core>,
}

impl CallHandle {
    /// Keeps the callout from being called, and drops its closure now.
    ///
    /// It works up to the moment of the call, and does nothing after that or a second time.
    pub fn cancel(&self) {
        self.callout.cancel(&self.core.scheduler);
    }

    /// Whether the callout was cancelled before it was called.
    pub fn is_cancelled(&self) -> bool {
        self.callout.is_cancelled()
    }
}

impl fmt::Debug for CallHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallHandle")
            .field("cancelled", &self.is_cancelled())
            .finish()
    }
}

/// A callout registered for a time. Dropping this does not cancel it.
pub struct TimerHandle {
    pub(super) callout: Callout,
    pub(super) core: Rc<Core>,
    pub(super) key: Cell<Option<TimerKey>>,
    pub(super) deadline: u64,
}

impl TimerHandle {
    /// Keeps the callout from being called, and drops its closure and its timer now.
    ///
    /// It works up to the moment of the call, and does nothing after that or a second time.
    pub fn cancel(&self) {
        if let Some(key) = self.key.take() {
            let due = self.core.timers.borrow_mut().cancel(key);
            drop(due);
        }
        self.callout.cancel(&self.core.scheduler);
    }

    /// Whether the callout was cancelled before it was called.
    pub fn is_cancelled(&self) -> bool {
        self.callout.is_cancelled()
    }

    /// When the callout is due, by the loop's [`time`](crate::event_loop::LoopHandle::time).
    ///
    /// For a delay that never comes it is an instant decades away.
    pub fn when(&self) -> Instant {
        self.core.clock.instant(self.deadline)
    }
}

impl fmt::Debug for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cancelled = self.is_cancelled();
        f.debug_struct("TimerHandle")
            .field("when", &self.when())
            .field("cancelled", &cancelled)
            .finish()
    }
}
