//! Waiting for the other tasks to have a turn.

use std::future::poll_fn;
use std::task::Poll;

/// Ends the task's turn; its next comes when those that are ready have had theirs.
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
