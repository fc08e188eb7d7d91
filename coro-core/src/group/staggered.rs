//! A race in which each future begins only if the earlier ones fail or seem too slow.

use std::future::IntoFuture;
use std::time::Duration;

use crate::wait::staggered::staggered;

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
/// If no future succeeds, all errors, in the order in which their futures began.
///
/// # Panics
///
/// When polled outside of a loop, unless the first future is ready at once.
pub async fn staggered_race<I, T, E>(delay: Duration, futures: I) -> Result<T, Vec<E>>
where
    I: IntoIterator<Item: IntoFuture<Output = Result<T, E>>>,
{
    let attempts = futures.into_iter().map(|future| ((), future.into_future()));
    let raced = staggered(delay, attempts).await;
    raced.map_err(|errors| errors.into_iter().map(|((), error)| error).collect())
}
