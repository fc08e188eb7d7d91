//! Waits for the first success of several futures.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::members::{Go, GroupKind, Members};

const KIND: GroupKind = GroupKind("race_ok", true);

/// Awaits the first of several futures to succeed, and gives its value; the others are dropped.
///
/// The futures may borrow. Dropping it drops all futures, and the errors that have come so far.
///
/// ```
/// use std::time::Duration;
///
/// async fn ask(millis: u64, answer: Result<&str, &str>) -> Result<String, String> {
///     coro::sleep(Duration::from_millis(millis)).await;
///     answer.map(Into::into).map_err(Into::into)
/// }
///
/// coro::run(async {
///     let replicas = [ask(1, Err("down")), ask(3, Ok("fine")), ask(900, Ok("late"))];
///     assert_eq!(coro::group::race_ok(replicas).await.unwrap(), "fine");
///     let none = coro::group::race_ok([ask(2, Err("b")), ask(1, Err("a"))]).await;
///     assert_eq!(none.unwrap_err(), ["a", "b"]);
/// });
/// ```
///
/// # Errors
///
/// If no future succeeds, all errors, in the order in which they came. Without futures, the `Vec`
/// is empty.
pub fn race_ok<I, T, E>(futures: I) -> RaceOk<<I::Item as IntoFuture>::IntoFuture, E>
where
    I: IntoIterator<Item: IntoFuture<Output = Result<T, E>>>,
{
    let futures = futures.into_iter().map(IntoFuture::into_future);
    RaceOk {
        members: futures.collect(),
        errors: Vec::new(),
    }
}

/// The future of [`race_ok`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct RaceOk<F, E> {
    members: Members<F>,
    errors: Vec<E>,
}

/// Errors are never pinned, and futures are pinned in their boxes.
impl<F, E> Unpin for RaceOk<F, E> {}

impl<T, E, F: Future<Output = Result<T, E>>> Future for RaceOk<F, E> {
    type Output = Result<T, Vec<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { members, errors } = self.get_mut();
        let mut first = None;
        let polled = members.poll(cx, KIND, |_, result| match result {
            Ok(value) => {
                first = Some(value);
                Go::Stop
            }
            Err(error) => {
                errors.push(error);
                Go::On
            }
        });
        if polled.is_pending() {
            return Poll::Pending;
        }
        members.clear();
        Poll::Ready(first.ok_or_else(|| std::mem::take(errors)))
    }
}

impl<F, E> fmt::Debug for RaceOk<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RaceOk(..)")
    }
}
