//! A job's home: the loop that waits for the job, as the pool's threads see it.

use crate::report::ErrorReport;
use crate::task::{Inbox, InboxArc, Scheduler};

/// The connection of a job to its loop.
pub(crate) struct LoopOfJob {
    inbox: InboxArc<Inbox>,
}

impl LoopOfJob {
    /// The job is outstanding from now on: something real may still come, so that a virtual clock
    /// must not jump.
    #[inline]
    pub(crate) fn new(inbox: InboxArc<Inbox>) -> Self {
        inbox.add_handle();
        LoopOfJob { inbox }
    }

    /// The job is no longer outstanding. Called once, after the waiter was woken.
    #[inline]
    pub(super) fn settle(&self) {
        self.inbox.remove_handle();
    }

    #[inline]
    pub(super) fn report(&self, report: ErrorReport) {
        Scheduler::report_to(&self.inbox, report);
    }
}
