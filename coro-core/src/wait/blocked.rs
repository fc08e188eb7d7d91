//! Waiting until every task is blocked.

use std::future::poll_fn;
use std::task::Poll;

use crate::event_loop::LoopHandle;

/// Waits until the present loop has nothing ready. It is woken before time goes on.
///
/// # Panics
///
/// Outside of a loop.
#[inline]
pub(crate) async fn all_blocked() {
    let wait = LoopHandle::current().wait_when_blocked();
    poll_fn(|cx| match wait.is_over(cx.waker()) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}
