//! `Activity`: the requests and reads of one connection, by which its time limits are kept.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use crate::event_loop::{LoopHandle, current_task};
use crate::net::is_hang_up;
use crate::report::{ErrorReport, ReportKind};
use crate::time::{Sleep, sleep_until};

/// The time limits of a connection, in nanoseconds; [`NO_LIMIT`](Self::NO_LIMIT) is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    pub(super) header: u64,
    pub(super) idle: u64,
}

impl TimeLimits {
    pub(super) const NO_LIMIT: u64 = u64::MAX;

    /// A limit; none if it is longer than a clock runs.
    pub(super) fn of(limit: Duration) -> u64 {
        limit.as_nanos().try_into().unwrap_or(Self::NO_LIMIT)
    }

    pub(super) fn are_absent(&self) -> bool {
        self.header == Self::NO_LIMIT && self.idle == Self::NO_LIMIT
    }
}

/// The state of a connection that its stream, its requests and its task share.
pub(super) struct Activity {
    handle: LoopHandle,
    /// How many requests have begun and are not answered in full.
    requests: Cell<usize>,
    /// Whether the head of a request has begun and is not complete.
    in_head: Cell<bool>,
    /// The beginning of the loop's turn in which the state began. A clock reading for each request
    /// would cost more than all that is done here besides.
    since: Cell<u64>,
    /// Whether streams of HTTP/2 share the connection, so that bytes need not be a request's.
    is_shared: Cell<bool>,
    /// Whether the other end has ended.
    has_ended: Cell<bool>,
}

/// What has to be done with a connection whose time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// It was idle: it ends in order.
    Idle,
    /// The head of a request takes too long: it is cut.
    Head,
}

impl Activity {
    /// The state of a new connection, which owes the head of its first request.
    pub(super) fn new(handle: LoopHandle) -> Self {
        let now = handle.turn_stamp();
        Activity {
            handle,
            requests: Cell::new(0),
            in_head: Cell::new(true),
            since: Cell::new(now),
            is_shared: Cell::new(false),
            has_ended: Cell::new(false),
        }
    }

    pub(super) fn share(&self) {
        self.is_shared.set(true);
        self.in_head.set(false);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    /// Whether the head of a request has begun and is not complete.
    pub(super) fn is_in_head(&self) -> bool {
        self.in_head.get()
    }

    pub(super) fn handle(&self) -> &LoopHandle {
        &self.handle
    }

    /// Notes that bytes were read, or the end.
    pub(super) fn note_read(&self, len: usize) {
        if len == 0 {
            self.has_ended.set(true);
        } else if self.requests.get() == 0 && !self.in_head.get() {
            self.in_head.set(!self.is_shared.get());
            self.since.set(self.now());
        }
    }

    /// Notes that a request has begun.
    pub(super) fn begin(&self) {
        self.requests.set(self.requests.get() + 1);
        self.in_head.set(false);
    }

    /// Notes that a request that had begun is answered, or given up.
    pub(super) fn end(&self) {
        self.requests.set(self.requests.get() - 1);
        if self.requests.get() == 0 {
            self.since.set(self.now());
        }
    }

    /// Reports an error of the service.
    pub(super) fn report(&self, error: &(dyn Error + 'static)) {
        let mut message = format!("the service of an HTTP server: {error}");
        let mut source = error.source();
        while let Some(error) = source {
            message.push_str(&format!(": {error}"));
            source = error.source();
        }
        if is_hang_up(error) {
            return; // as of a body that is read from the client and sent back
        }
        let mut report = ErrorReport::new(ReportKind::TaskFailed, message);
        if let Some(task) = current_task() {
            report = report.in_task(task.name());
        }
        self.handle.report(report);
    }

    /// When the time of the present state is up, if it has a limit, and the consequence.
    fn deadline(&self, limits: TimeLimits) -> Option<(u64, Overdue)> {
        let (limit, overdue) = match (self.requests.get(), self.in_head.get()) {
            (0, true) => (limits.header, Overdue::Head),
            (0, false) => (limits.idle, Overdue::Idle),
            _ => return None,
        };
        Some((after(self.since.get(), limit)?, overdue))
    }

    /// When to look again, or the consequence of a time that is up.
    ///
    /// It is never later than the end of an idle time that began now. So only the head of a request
    /// can be due earlier than the connection is looked at.
    pub(super) fn next_look(&self, limits: TimeLimits) -> Result<Option<u64>, Overdue> {
        let now = self.now();
        let latest = after(now, limits.idle).unwrap_or(u64::MAX);
        match self.deadline(limits) {
            Some((deadline, overdue)) if deadline <= now => Err(overdue),
            Some((deadline, _)) => Ok(Some(deadline.min(latest))),
            None => Ok(after(now, limits.header.min(limits.idle))),
        }
    }

    /// The deadline of the present state, if there is one.
    pub(super) fn due(&self, limits: TimeLimits) -> Option<u64> {
        self.deadline(limits).map(|(deadline, _)| deadline)
    }

    /// The beginning of the loop's present turn, which is the present here.
    pub(super) fn now(&self) -> u64 {
        self.handle.turn_stamp()
    }

    /// A sleep until a deadline.
    pub(super) fn sleep_until(&self, deadline: u64) -> Sleep {
        sleep_until(self.handle.stamped(deadline))
    }
}

/// The end of a limit that begins at `since`; none if it is too far to be represented.
fn after(since: u64, limit: u64) -> Option<u64> {
    match limit {
        TimeLimits::NO_LIMIT => None,
        limit => since.checked_add(limit),
    }
}
