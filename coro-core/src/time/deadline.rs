//! `fail_after`: a time limit with a movable deadline.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::error::Elapsed;
use crate::event_loop::LoopHandle;
use crate::wait::until::Until;

/// Runs `body` for at most `duration`; the body can change its deadline by the [`Deadline`] that it
/// receives. The counterpart of `asyncio.timeout`, and of Trio's function of this name.
///
/// A value that is ready at the same time as the deadline wins, and a body that does not wait is
/// not interrupted. When the deadline comes, the body is dropped: its unfinished work is lost.
///
/// ```
/// use std::time::Duration;
///
/// coro::run(async {
///     let long = Duration::from_millis(5);
///     let outcome = coro::time::fail_after(Duration::from_millis(1), async |deadline| {
///         deadline.reschedule_after(Duration::from_secs(60)); // it is worth it
///         coro::sleep(long).await;
///         "done"
///     });
///     assert_eq!(outcome.await, Ok("done"));
/// });
/// ```
///
/// # Errors
///
/// [`Elapsed`] if the deadline came first. For work that may be left undone, append `.ok()` to the
/// awaited result: that is `move_on_after` of Trio.
///
/// # Panics
///
/// Outside of a loop.
#[doc(alias("move_on_after", "asyncio.timeout"))]
pub async fn fail_after<T>(
    duration: Duration,
    body: impl AsyncFnOnce(&Deadline) -> T,
) -> Result<T, Elapsed> {
    let deadline = Deadline::after(duration);
    let mut body = pin!(body(&deadline));
    poll_fn(|cx| match body.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Ok(value)),
        Poll::Pending => deadline.poll(cx).map(|()| Err(Elapsed)),
    })
    .await
}

/// The deadline of a [`fail_after`], for its body.
pub struct Deadline {
    when: Cell<Option<Instant>>,
    until: RefCell<Until>,
}

impl Deadline {
    fn after(duration: Duration) -> Self {
        Deadline {
            when: Cell::new(LoopHandle::current().time().checked_add(duration)),
            until: RefCell::new(Until::After(duration)),
        }
    }

    /// The deadline, by the loop's [`time`](crate::event_loop::LoopHandle::time); `None` if there
    /// is none.
    pub fn when(&self) -> Option<Instant> {
        self.when.get()
    }

    /// Moves the deadline to `when`; `None` removes it.
    pub fn reschedule(&self, when: Option<Instant>) {
        self.when.set(when);
        let until = when.map_or(Until::After(Duration::MAX), Until::At);
        let before = self.until.replace(until);
        drop(before);
    }

    /// Moves the deadline to `duration` from now.
    pub fn reschedule_after(&self, duration: Duration) {
        self.reschedule(LoopHandle::current().time().checked_add(duration));
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        self.until.borrow_mut().poll(cx)
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline")
            .field("when", &self.when.get())
            .finish_non_exhaustive()
    }
}
