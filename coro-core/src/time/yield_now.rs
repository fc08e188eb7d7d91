//! `yield_now`, which lets other tasks run.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Lets everything else that is ready run first. The counterpart of `asyncio.sleep(0)`.
///
/// The present task goes to the end of the ready queue, once. It works under any executor.
/// Dropping it loses nothing.
///
/// ```
/// coro::run(async {
///     let task = coro::spawn(async { 1 });
///     assert!(!task.is_finished());
///     coro::yield_now().await;
///     assert!(task.is_finished());
/// });
/// ```
#[inline]
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "a yield does nothing unless it is awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
