//! Maps an async function over items, with a limit on concurrency.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::stream::{FusedStream, Stream};
use pin_project_lite::pin_project;

use super::members::{Go, GroupKind, Members};
use crate::error::JoinError;
use crate::event_loop::spawn;
use crate::task::Task;
use crate::task::looking;

const KIND: GroupKind = GroupKind("map_concurrent", false);

/// The greatest number of futures that end in one poll: other tasks on the loop want their turn.
const DONE_A_POLL: usize = 64;

/// Calls `f` with each item and awaits the futures that it returns, `limit` of them at a time.
/// Gives all outputs in the order of the items, as one `Vec`; the stream of the outputs is
/// [`buffered`].
///
/// The next item is taken only when there is room, and none after the iterator's first `None`. The
/// futures may borrow. Since no code takes their outputs in between, no code can keep the futures
/// from being polled. Dropping it drops the futures that are not done, and the outputs of the
/// others.
///
/// ```
/// coro::run(async {
///     let names = ["a".to_owned(), "bc".to_owned()];
///     let lengths = coro::group::map_concurrent(&names, 8, async |name| name.len()).await;
///     assert_eq!(lengths, [1, 2]);
/// });
/// ```
///
/// # Panics
///
/// If the limit is zero.
pub async fn map_concurrent<I, F, Fut>(items: I, limit: usize, mut f: F) -> Vec<Fut::Output>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future,
{
    assert!(
        limit > 0,
        "a limit of zero would never let anything begin: allow at least one"
    );
    let mut items = items.into_iter().fuse(); // asked at each poll, but never after its end
    let mut members = Members::new();
    let mut outputs = Vec::new();
    poll_fn(|cx| {
        for _ in 0..DONE_A_POLL {
            while members.unfinished() < limit
                && let Some(item) = items.next()
            {
                members.add(numbered(outputs.len(), f(item)));
                outputs.push(None);
            }
            if members.unfinished() == 0 {
                return Poll::Ready(());
            }
            let polled = members.poll(cx, KIND, |_, (number, output)| {
                outputs[number] = Some(output);
                Go::Stop
            });
            if polled.is_pending() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    outputs.into_iter().flatten().collect()
}

async fn numbered<F: Future>(number: usize, future: F) -> (usize, F::Output) {
    (number, future.await)
}

/// Runs the futures of a stream as tasks, `limit` of them at a time, and gives their outcomes in
/// the order of the stream.
///
/// The tasks continue while the reader of the outcomes awaits something else, even if that is held
/// by one of the tasks. So this cannot deadlock as [`futures::stream::StreamExt::buffered`] can. A
/// task counts towards the `limit` until its outcome is taken. Dropping the stream cancels the
/// tasks.
///
/// ```
/// use futures::{StreamExt, stream};
///
/// coro::run(async {
///     let squares = stream::iter(1..=3).map(|n| async move { n * n });
///     let mut outcomes = coro::group::buffered(squares, 2);
///     while let Some(outcome) = outcomes.next().await {
///         println!("{}", outcome.unwrap());
///     }
/// });
/// ```
///
/// # Errors
///
/// An outcome is a [`JoinError`] if the task panicked, or was cancelled through another handle.
///
/// # Panics
///
/// If the limit is zero; and when polled outside of a loop.
#[doc(alias = "buffer_unordered")]
pub fn buffered<S, F>(futures: S, limit: usize) -> Buffered<S, F::Output>
where
    S: Stream<Item = F>,
    F: Future + 'static,
{
    assert!(
        limit > 0,
        "a limit of zero would never let anything begin: allow at least one"
    );
    Buffered {
        futures: Some(futures),
        tasks: VecDeque::new(),
        limit,
    }
}

pin_project! {
    /// The stream of [`buffered`].
    #[must_use = "streams do nothing unless they are polled"]
    pub struct Buffered<S, T> {
        #[pin]
        futures: Option<S>,
        tasks: VecDeque<Task<T>>,
        limit: usize,
    }
}

impl<S, F> Stream for Buffered<S, F::Output>
where
    S: Stream<Item = F>,
    F: Future + 'static,
{
    type Item = Result<F::Output, JoinError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        while this.tasks.len() < *this.limit
            && let Some(futures) = this.futures.as_mut().as_pin_mut()
        {
            match looking::group("buffered", false, || futures.poll_next(cx)) {
                Poll::Ready(Some(future)) => {
                    this.tasks.push_back(spawn(future).cancel_on_drop());
                }
                Poll::Ready(None) => this.futures.set(None),
                Poll::Pending => break,
            }
        }
        match this.tasks.front_mut() {
            Some(first) => {
                let polled = looking::group("buffered", false, || Pin::new(first).poll(cx));
                if polled.is_ready() {
                    this.tasks.pop_front();
                }
                polled.map(Some)
            }
            None if this.futures.is_none() => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl<S, F> FusedStream for Buffered<S, F::Output>
where
    S: Stream<Item = F>,
    F: Future + 'static,
{
    fn is_terminated(&self) -> bool {
        self.futures.is_none() && self.tasks.is_empty()
    }
}

impl<S, T> fmt::Debug for Buffered<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffered")
            .field("tasks", &self.tasks.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
