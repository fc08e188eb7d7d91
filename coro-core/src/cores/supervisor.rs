//! The `Supervisor` of a run: the calling thread, which waits for all cores.

use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::error::CoreError;
#[cfg(not(feature = "signal"))]
use super::no_signal::{NoSignal as SignalKind, NoTermination as Termination};
use super::team::Team;
use super::worker::CoreOutcome;
use crate::error::Cancelled;
#[cfg(feature = "signal")]
use crate::signal::{SignalKind, Termination};
use crate::sync::remote::channel::Receiver;

/// Collects the outcomes of all cores, and passes on the signals that ask the process to end.
pub(super) struct Supervisor<V, E> {
    team: Arc<Team>,
    outcomes: Receiver<(usize, CoreOutcome<V, E>)>,
    values: Vec<Option<V>>,
    failure: Option<CoreError<E>>,
    /// The signal that has interrupted the run.
    signal: Option<SignalKind>,
    /// The place that called for the run.
    origin: &'static Location<'static>,
}

/// The end of a run.
pub(super) enum RunVerdict<V, E> {
    Values(Vec<V>),
    Failed(CoreError<E>),
    /// A main future was dropped because of this signal, so there is no value of its core.
    Interrupted(SignalKind),
}

impl<V, E> Supervisor<V, E> {
    pub(super) fn new(
        team: Arc<Team>,
        outcomes: Receiver<(usize, CoreOutcome<V, E>)>,
        origin: &'static Location<'static>,
    ) -> Self {
        let values = (0..team.count()).map(|_| None).collect();
        Supervisor {
            team,
            outcomes,
            values,
            failure: None,
            signal: None,
            origin,
        }
    }

    /// Waits for the outcome of each core. Then all cores may end.
    pub(super) async fn supervise(mut self) -> RunVerdict<V, E> {
        let mut termination = Some(Termination::listen());
        for _ in 0..self.team.count() {
            let (core, outcome) = self.next(&mut termination).await;
            match outcome {
                CoreOutcome::Value(value) => self.values[core] = Some(value),
                CoreOutcome::Cancelled => {}
                CoreOutcome::Failed(failure) if self.failure.is_none() => {
                    self.failure = Some(CoreError::new(core, failure));
                    self.team.release();
                }
                CoreOutcome::Failed(_) => {} // the first failure counts
            }
        }
        self.team.release();
        self.verdict()
    }

    /// The next outcome. While it waits, a signal interrupts the cores.
    async fn next(&mut self, termination: &mut Option<Termination>) -> (usize, CoreOutcome<V, E>) {
        loop {
            let heard = match termination {
                Some(termination) => either(self.outcomes.recv(), termination.asked()).await,
                None => Ok(self.outcomes.recv().await),
            };
            match heard {
                Ok(outcome) => return outcome.expect("the caller keeps a sender"),
                Err(signal) => {
                    *termination = None; // from here on, a second signal ends the process
                    self.signal = Some(signal);
                    let reason = format!("{signal} has asked the process to end");
                    self.team
                        .interrupt(&Cancelled::new(reason.into(), self.origin));
                }
            }
        }
    }

    fn verdict(self) -> RunVerdict<V, E> {
        if let Some(failure) = self.failure {
            return RunVerdict::Failed(failure);
        }
        match (self.values.into_iter().collect(), self.signal) {
            (Some(values), _) => RunVerdict::Values(values),
            (None, Some(signal)) => RunVerdict::Interrupted(signal),
            (None, None) => unreachable!("only a failure or a signal cancels a core"),
        }
    }
}

/// The output of the first of two futures that is ready.
async fn either<A: Future, B: Future>(a: A, b: B) -> Result<A::Output, B::Output> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|cx| match a.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => b.as_mut().poll(cx).map(Err),
    })
    .await
}
