//! A race in which each future begins only if the earlier ones fail or seem too slow.

use std::future::{IntoFuture, poll_fn};
use std::task::Poll;
use std::time::Duration;

use super::members::{Go, Members};
use crate::wait::until::Until;

/// Awaits the first of several futures to succeed, and drops the others. The next future begins
/// when one has failed, or when no future has succeeded for `delay` since the last one began.
///
/// The counterpart of asyncio's `staggered_race`, which makes connections to hosts that have
/// several addresses. An iterator is asked for a future only when that future is to begin. The
/// futures may borrow. Dropping it drops the futures that have begun, and the errors that have come
/// so far.
///
/// ```
/// use std::time::Duration;
///
/// async fn ask(name: &str, millis: u64) -> Result<&str, ()> {
///     coro::sleep(Duration::from_millis(millis)).await;
///     Ok(name)
/// }
///
/// coro::run(async {
///     let replicas = [ask("slow", 900), ask("fast", 1), ask("never asked", 0)];
///     let first = coro::group::staggered_race(Duration::from_millis(250), replicas).await;
///     assert_eq!(first, Ok("fast"));
/// });
/// ```
///
/// # Errors
///
/// If no future succeeds, all errors, in the order in which they came.
///
/// # Panics
///
/// When polled outside of a loop, unless the first future is ready at once.
pub async fn staggered_race<I, T, E>(delay: Duration, futures: I) -> Result<T, Vec<E>>
where
    I: IntoIterator<Item: IntoFuture<Output = Result<T, E>>>,
{
    let mut futures = futures.into_iter().map(IntoFuture::into_future);
    let mut members = Members::new();
    let mut errors = Vec::new();
    let mut until = Until::Over;
    let mut left = true;
    poll_fn(|cx| {
        loop {
            let failed = errors.len();
            let mut first = None;
            let _ = members.poll(cx, |_, result| match result {
                Ok(value) => {
                    first = Some(value);
                    Go::Stop
                }
                Err(error) => {
                    errors.push(error);
                    Go::On
                }
            });
            if let Some(value) = first {
                return Poll::Ready(Ok(value));
            }
            let begin_next = errors.len() > failed || members.unfinished() == 0;
            if left && (begin_next || until.poll(cx).is_ready()) {
                match futures.next() {
                    Some(future) => members.add(future),
                    None => left = false,
                }
                until = Until::After(delay);
            } else if members.unfinished() == 0 {
                return Poll::Ready(Err(std::mem::take(&mut errors)));
            } else {
                return Poll::Pending;
            }
        }
    })
    .await
}
