//! A job's home: the loop that waits for the job, as the pool's threads see it.

use crate::report::ErrorReport;
use crate::task::{Inbox, InboxArc, Owner};

/// The connection of a job to its loop.
pub(crate) struct Home {
    inbox: InboxArc<Inbox>,
    /// The loop's clock is virtual: it must not jump while the job is outstanding.
    is_counted: bool,
}

impl Home {
    pub(crate) fn new(inbox: InboxArc<Inbox>, is_counted: bool) -> Self {
        if is_counted {
            inbox.add_handle();
        }
        Home { inbox, is_counted }
    }

    /// The job is no longer outstanding. Called once, after the waiter was woken.
    pub(super) fn settle(&self) {
        if self.is_counted {
            self.inbox.remove_handle();
        }
    }

    pub(super) fn report(&self, report: ErrorReport) {
        Owner::report_to(&self.inbox, report);
    }
}
