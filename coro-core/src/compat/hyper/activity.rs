//! `Activity`: the requests and reads of one connection, by which its time limits are kept.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use hyper::rt;

use crate::event_loop::{LoopHandle, OnLoop, current_task};
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
    pub(super) fn new(handle: LoopHandle) -> Rc<Self> {
        let now = handle.turn_stamp();
        Rc::new(Activity {
            handle,
            requests: Cell::new(0),
            in_head: Cell::new(true),
            since: Cell::new(now),
            is_shared: Cell::new(false),
            has_ended: Cell::new(false),
        })
    }

    pub(super) fn share(&self) {
        self.is_shared.set(true);
        self.in_head.set(false);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    fn read(&self, len: usize) {
        if len == 0 {
            self.has_ended.set(true);
        } else if self.requests.get() == 0 && !self.in_head.get() {
            self.in_head.set(!self.is_shared.get());
            self.since.set(self.now());
        }
    }

    /// A request has begun, until the guard is dropped.
    pub(super) fn begin(self: &Rc<Self>) -> InFlight {
        self.requests.set(self.requests.get() + 1);
        self.in_head.set(false);
        InFlight(self.clone())
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
    pub(super) fn next_look(&self, limits: TimeLimits) -> Result<Option<u64>, Overdue> {
        let now = self.now();
        match self.deadline(limits) {
            Some((deadline, overdue)) if deadline <= now => Err(overdue),
            Some((deadline, _)) => Ok(Some(deadline)),
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

/// A request that has begun and is not answered in full.
pub(super) struct InFlight(Rc<Activity>);

impl InFlight {
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
        self.0.handle.report(report);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let activity = &self.0;
        activity.requests.set(activity.requests.get() - 1);
        if activity.requests.get() == 0 {
            activity.since.set(activity.now());
        }
    }
}

/// The place where the stream of a connection is left when hyper is done with it.
pub(super) type Leftover<S> = Rc<RefCell<Option<S>>>;

/// A stream whose reads are told to its [`Activity`].
pub(super) struct ActiveStream<S> {
    stream: Option<S>,
    /// The bytes that were read to learn the version, and how many of them were read again.
    first: Vec<u8>,
    taken: usize,
    activity: Rc<Activity>,
    leftover: Leftover<S>,
}

impl<S> ActiveStream<S> {
    pub(super) fn new(
        stream: S,
        first: Vec<u8>,
        activity: Rc<Activity>,
        leftover: Leftover<S>,
    ) -> Self {
        ActiveStream {
            stream: Some(stream),
            first,
            taken: 0,
            activity,
            leftover,
        }
    }

    fn stream(&mut self) -> Pin<&mut S>
    where
        S: Unpin,
    {
        Pin::new(present(&mut self.stream))
    }
}

fn present<S>(stream: &mut Option<S>) -> &mut S {
    stream.as_mut().expect("a stream until it is dropped")
}

impl<S> Drop for ActiveStream<S> {
    fn drop(&mut self) {
        let stream = self.stream.take();
        let before = self.leftover.replace(stream);
        drop(before);
    }
}

// hyper asks for `Send` streams, for the sake of upgrades. The traits are its own, and not those of
// `futures` with an adapter around, since they are called three times a request.
impl<S: AsyncRead + Unpin> rt::Read for OnLoop<ActiveStream<S>> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut **self.get_mut();
        if this.taken < this.first.len() {
            let rest = &this.first[this.taken..];
            let len = rest.len().min(into.remaining());
            into.put_slice(&rest[..len]);
            this.taken += len;
            return Poll::Ready(Ok(()));
        }
        let activity = &*this.activity;
        let mut through = activity.handle.lend_buffer();
        let len = through.len().min(into.remaining());
        let stream = Pin::new(present(&mut this.stream));
        let read = ready!(stream.poll_read(cx, &mut through[..len]))?;
        into.put_slice(&through[..read]);
        activity.read(read);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> rt::Write for OnLoop<ActiveStream<S>> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().stream().poll_write(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().stream().poll_write_vectored(cx, slices)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream().poll_close(cx)
    }
}
