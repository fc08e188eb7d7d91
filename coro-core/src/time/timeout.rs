//! Timeouts: limits on the time of a future.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::error::Elapsed;
use crate::task::looking;
use crate::wait::until::Until;

/// Awaits `future` for at most `duration`. The counterpart of `asyncio.wait_for`.
///
/// The time counts from the first poll. A value that is ready at the same time as the deadline
/// wins. So with [`Duration::ZERO`] the future still gets two polls, one before and one after
/// everything else that is ready. [`Duration::MAX`] means no limit. A future that does not wait is
/// not interrupted.
///
/// ```
/// use std::time::Duration;
///
/// coro::run(async {
///     let late = coro::timeout(Duration::from_millis(1), std::future::pending::<()>());
///     assert_eq!(late.await, Err(coro::Elapsed));
/// });
/// ```
///
/// # If the compiler says ..
///
/// - "`Duration` is not a future": the duration comes first, and then the future.
/// - "expected `Duration`, found floating-point number": write `Duration::from_secs_f64(1.5)`.
///
/// # Errors
///
/// [`Elapsed`] if the time ran out first. The future is dropped together with the timeout, and its
/// unfinished work is lost; pass `&mut future` to continue with it later.
///
/// # Panics
///
/// When polled outside of a loop, or in another than at first, unless the future is ready.
#[doc(alias = "wait_for")]
pub fn timeout<I, F>(duration: Duration, future: I) -> Timeout<F>
where
    I: IntoFuture<IntoFuture = F>,
{
    Timeout {
        future: future.into_future(),
        until: Until::After(duration),
    }
}

/// Awaits `future` until `deadline` at most, by the loop's
/// [`time`](crate::event_loop::LoopHandle::time). Otherwise as [`timeout`].
///
/// ```
/// use std::time::Duration;
///
/// coro::run(async {
///     let deadline = coro::LoopHandle::current().time() + Duration::from_millis(2);
///     let late = coro::time::timeout_at(deadline, std::future::pending::<()>());
///     assert_eq!(late.await, Err(coro::Elapsed));
/// });
/// ```
///
/// # Errors
///
/// [`Elapsed`] if the deadline came first.
///
/// # Panics
///
/// When polled outside of a loop, or in another than at first, unless the future is ready.
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        future: future.into_future(),
        until: Until::At(deadline),
    }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[must_use = "a timeout does nothing unless it is awaited"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        until: Until,
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let bracket = looking::open_group("timeout", true);
        let polled = match this.future.poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => this.until.poll(cx).map(|()| Err(Elapsed)),
        };
        bracket.close(polled)
    }
}

impl<F: fmt::Debug> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout")
            .field("future", &self.future)
            .finish_non_exhaustive()
    }
}
