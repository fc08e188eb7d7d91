//! The staggered race: attempts that begin one after another, until one succeeds.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::until::Until;
use crate::task::looking;

/// Awaits the first attempt to succeed, and drops the others.
///
/// The iterator is asked for an attempt only when that is to begin: when one has failed, or when
/// `delay` has passed since the last began. If none succeeds, gives the error of each with its key,
/// in the order in which they began.
pub(crate) async fn staggered<K, A, T, E>(
    delay: Duration,
    attempts: impl Iterator<Item = (K, A)>,
) -> Result<T, Vec<(K, E)>>
where
    A: Future<Output = Result<T, E>>,
{
    let mut race = StaggeredRace {
        coming: Some(attempts),
        delay,
        begun: Vec::new(),
        next: None,
    };
    poll_fn(|cx| looking::group("staggered_race", true, || race.poll(cx))).await
}

struct StaggeredRace<I, K, A, E> {
    /// `None` once all attempts have begun.
    coming: Option<I>,
    delay: Duration,
    begun: Vec<(K, Attempt<A, E>)>,
    /// Fires when the next attempt is to begin; `None` means at once.
    next: Option<Until>,
}

enum Attempt<A, E> {
    Running(Pin<Box<A>>),
    Failed(E),
}

impl<I, K, A, T, E> StaggeredRace<I, K, A, E>
where
    I: Iterator<Item = (K, A)>,
    A: Future<Output = Result<T, E>>,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Vec<(K, E)>>> {
        loop {
            if let Some(value) = self.poll_running(cx) {
                return Poll::Ready(Ok(value));
            }
            if self.begin_next(cx) {
                continue;
            }
            let mut begun = self.begun.iter();
            return match begun.all(|(_, attempt)| matches!(attempt, Attempt::Failed(_))) {
                true if self.coming.is_none() => Poll::Ready(Err(self.take_errors())),
                _ => Poll::Pending,
            };
        }
    }

    /// Polls the running attempts, in the order in which they began, until one succeeds.
    fn poll_running(&mut self, cx: &mut Context<'_>) -> Option<T> {
        for (_, attempt) in &mut self.begun {
            let Attempt::Running(running) = attempt else {
                continue;
            };
            match running.as_mut().poll(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(value)) => return Some(value),
                Poll::Ready(Err(error)) => {
                    *attempt = Attempt::Failed(error);
                    self.next = None;
                }
            }
        }
        None
    }

    /// Begins the next attempt, if it is time; gives whether it did.
    fn begin_next(&mut self, cx: &Context<'_>) -> bool {
        let waits = |until: &mut Until| until.poll(cx).is_pending();
        let Some(coming) = &mut self.coming else {
            return false;
        };
        if self.next.as_mut().is_some_and(waits) {
            return false;
        }
        let Some((key, attempt)) = coming.next() else {
            self.coming = None;
            return false;
        };
        self.begun.push((key, Attempt::Running(Box::pin(attempt))));
        self.next = Some(Until::After(self.delay));
        true
    }

    fn take_errors(&mut self) -> Vec<(K, E)> {
        let begun = std::mem::take(&mut self.begun).into_iter();
        begun
            .filter_map(|(key, attempt)| match attempt {
                Attempt::Failed(error) => Some((key, error)),
                Attempt::Running(_) => None,
            })
            .collect()
    }
}
