//! A stream of the outputs of several futures, in the order in which they complete.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::stream::{FusedStream, Stream};

use super::members::{Go, GroupKind, Members};

const KIND: GroupKind = GroupKind("as_completed", true);

/// The outputs of several futures in the order in which they complete, each with its future's place
/// in the order in which they were given. The counterpart of `asyncio.as_completed`.
///
/// The futures may borrow. They are polled only while the stream is polled: if the task that reads
/// the stream awaits something else meanwhile, they make no progress. If that depends on one of the
/// futures, the task waits forever. Tasks given to it continue on their own. Dropping the stream
/// drops the futures and the outputs that were not taken.
///
/// ```
/// use futures::StreamExt;
/// use std::time::Duration;
///
/// async fn after(millis: u64) -> u64 {
///     coro::sleep(Duration::from_millis(millis)).await;
///     millis
/// }
///
/// coro::run(async {
///     let mut outputs = coro::group::as_completed([9, 1, 5].map(after));
///     while let Some((place, millis)) = outputs.next().await {
///         println!("number {place} took {millis} ms");
///     }
/// });
/// ```
#[doc(alias = "FuturesUnordered")]
pub fn as_completed<I>(futures: I) -> AsCompleted<<I::Item as IntoFuture>::IntoFuture>
where
    I: IntoIterator<Item: IntoFuture>,
{
    let futures = futures.into_iter().map(IntoFuture::into_future);
    AsCompleted {
        members: futures.collect(),
        outputs: VecDeque::new(),
    }
}

/// The stream of [`as_completed`].
#[must_use = "streams do nothing unless they are polled"]
pub struct AsCompleted<F: Future> {
    members: Members<F>,
    outputs: VecDeque<(usize, F::Output)>,
}

/// Outputs are never pinned, and futures are pinned in their boxes.
impl<F: Future> Unpin for AsCompleted<F> {}

impl<F: Future> Stream for AsCompleted<F> {
    type Item = (usize, F::Output);

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { members, outputs } = self.get_mut();
        if outputs.is_empty() && members.unfinished() > 0 {
            let _ = members.poll(cx, KIND, |member, output| {
                outputs.push_back((member, output));
                Go::On
            });
        }
        match outputs.pop_front() {
            Some(output) => Poll::Ready(Some(output)),
            None if members.unfinished() == 0 => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.outputs.len() + self.members.unfinished();
        (left, Some(left))
    }
}

impl<F: Future> FusedStream for AsCompleted<F> {
    fn is_terminated(&self) -> bool {
        self.outputs.is_empty() && self.members.unfinished() == 0
    }
}

impl<F: Future> fmt::Debug for AsCompleted<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("unfinished", &self.members.unfinished())
            .finish_non_exhaustive()
    }
}
