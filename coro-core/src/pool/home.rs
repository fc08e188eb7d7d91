//! The loop that waits for a job, as the threads see it.

use crate::report::ErrorReport;
use crate::task::{Inbox, InboxArc, Owner};

/// Where a job came from.
pub(crate) struct Home {
    inbox: InboxArc<Inbox>,
    /// The loop's clock is virtual, and must not jump while the job is outstanding.
    is_counted: bool,
}

impl Home {
    pub(crate) fn new(inbox: InboxArc<Inbox>, is_counted: bool) -> Self {
        if is_counted {
            inbox.add_handle();
        }
        Home { inbox, is_counted }
    }

    /// The job is outstanding no more; called once, after whoever waits was woken.
    pub(super) fn settle(&self) {
        if self.is_counted {
            self.inbox.remove_handle();
        }
    }

    pub(super) fn report(&self, report: ErrorReport) {
        Owner::report_to(&self.inbox, report);
    }
}
