//! `NoReactor`, which stands in for a reactor where the feature `poll` is left out: no descriptors.

use std::cell::RefCell;
use std::io;
use std::task::Waker;
use std::time::Duration;

use crate::sys::{Home, Poller};

pub(super) struct NoReactor {
    home: Home,
    poller: RefCell<Poller>,
}

impl NoReactor {
    pub(super) fn new(poller: Poller) -> io::Result<Self> {
        Ok(NoReactor {
            home: Home::new(),
            poller: RefCell::new(poller),
        })
    }

    pub(super) fn has_sources(&self) -> bool {
        false
    }

    pub(super) fn is_waited_for(&self) -> bool {
        false
    }

    /// Whether this is the process that the loop was made in.
    pub(super) fn is_at_home(&self) -> bool {
        self.home.is_here()
    }

    /// # Panics
    ///
    /// In a process that was forked from the loop's own.
    #[track_caller]
    pub(super) fn assert_at_home(&self) {
        self.home.assert_here();
    }

    /// Does nothing: a thread that is parked shares nothing with the process that it was forked from.
    pub(super) fn check_home(&self) {}

    /// Waits for at most `timeout`, or until the loop is woken; gives whether there are events.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> bool {
        self.poller.borrow_mut().wait(timeout);
        false
    }

    /// Ends the waits of a run.
    pub(super) fn end_waits(&self) {
        if let Ok(mut poller) = self.poller.try_borrow_mut() {
            poller.end_waits();
        }
    }

    /// There are no waiters.
    pub(super) fn dispatch(&self, _: impl Fn(Waker)) {}
}
