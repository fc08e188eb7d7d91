//! Waiting until the others have run: yielding the rest of a turn.

use std::future::poll_fn;
use std::task::Poll;

/// Ends the task's step. Its next step comes after those of all tasks that are ready now.
#[inline]
pub(crate) async fn let_others_run() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}
