//! Waiting for the outcome of a job on another thread.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
#[cfg(feature = "simulation")]
use std::time::Duration;

#[cfg(feature = "simulation")]
use crate::choices::Series;
use crate::error::JoinError;
use crate::event_loop::LoopHandle;
#[cfg(feature = "simulation")]
use crate::event_loop::Simulation;
use crate::pool::{CancelFlag, Executor, Failure, Job, Outcome, new_job};
use crate::task::{Step, budget, is_large, looking};

/// A job of a simulation begins within this number of nanoseconds.
#[cfg(feature = "simulation")]
const JOB_DELAY_MAX: u64 = 16_000;

/// The future of a job on another thread, made by [`to_thread`](crate::threads::to_thread) or
/// [`run_in_executor`](crate::threads::run_in_executor).
///
/// Dropping it cancels the job. A job that still waits for a thread is never run, and its closure is
/// dropped at once, on this thread. A job that is running goes on, as threads cannot be interrupted;
/// it may check its [`CancelFlag`]. Its result is then dropped on its thread, and its panic reported.
///
/// # Errors
///
/// [`JoinError`]: the job panicked; it was cancelled, because its loop was closed or its executor
/// gave it up; or it was [refused](JoinError::is_refused), because the system gave no thread.
///
/// # Panics
///
/// Polling it again after it gave its output panics.
#[must_use = "dropping it cancels a job that has not begun: await it, or call detach()"]
pub struct ToThread<T> {
    outcome: Arc<dyn Outcome<T>>,
    is_detached: bool,
}

impl<T> ToThread<T> {
    /// Hands a job to an executor, for the present loop.
    #[track_caller]
    pub(crate) fn new<F>(executor: &(impl Executor + ?Sized), f: F) -> Self
    where
        F: FnOnce(&CancelFlag) -> T + Send + 'static,
        T: Send + 'static,
    {
        match const { is_large::<F>() } {
            true => Self::hand_over(executor, Box::new(f)),
            false => Self::hand_over(executor, f),
        }
    }

    #[track_caller]
    fn hand_over<F>(executor: &(impl Executor + ?Sized), f: F) -> Self
    where
        F: FnOnce(&CancelFlag) -> T + Send + 'static,
        T: Send + 'static,
    {
        let current = LoopHandle::current();
        let (job, outcome) = new_job(f, current.home(), Location::caller());
        #[cfg(feature = "simulation")]
        match current.simulation() {
            Some(simulation) => run_simulated(&current, simulation, job),
            None => executor.execute(job),
        }
        #[cfg(not(feature = "simulation"))]
        executor.execute(job);
        ToThread {
            outcome,
            is_detached: false,
        }
    }

    /// As [`new`](Self::new), with the threads of the loop itself.
    #[track_caller]
    pub(crate) fn of_loop<F>(f: F) -> Self
    where
        F: FnOnce(&CancelFlag) -> T + Send + 'static,
        T: Send + 'static,
    {
        ToThread::new(&LoopHandle::current().thread_pool(), f)
    }

    /// Lets the job run although no task waits for it. Its result is dropped; a panic is reported.
    pub fn detach(mut self) {
        self.is_detached = true;
        self.outcome.detach();
    }

    /// Whether the job is over, so that awaiting it will not wait.
    pub fn is_finished(&self) -> bool {
        self.outcome.is_finished()
    }
}

/// Runs a job on the thread of the loop, after a delay: in a simulation there are no other threads.
#[cfg(feature = "simulation")]
#[inline]
fn run_simulated(current: &LoopHandle, simulation: &Simulation, job: Job) {
    let choices = simulation.choices();
    let series = Series::named("job").and(choices.present().number().into());
    let delay = Duration::from_nanos(choices.delay(series, JOB_DELAY_MAX));
    current.call_later(delay, move || job.run());
}

impl<T> Future for ToThread<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.is_finished() {
            ready!(budget::poll(cx));
        }
        let polled = self.outcome.poll(cx.waker());
        if polled.is_pending() && looking::is_looking() {
            let made_at = self.outcome.made_at();
            looking::outside(Step::Job { made_at });
        }
        polled.map(|result| result.map_err(|failure| self.error(failure)))
    }
}

impl<T> ToThread<T> {
    fn error(&self, failure: Failure) -> JoinError {
        let name = format!("the job made at {}", self.outcome.made_at()).into();
        match failure {
            Failure::Cancelled => JoinError::cancelled(name),
            Failure::Panicked(payload) => JoinError::panicked(name, payload),
            Failure::Refused(error) => JoinError::refused(name, error),
        }
    }
}

impl<T> Drop for ToThread<T> {
    fn drop(&mut self) {
        if !self.is_detached {
            self.outcome.abandon();
        }
    }
}

impl<T> fmt::Debug for ToThread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToThread")
            .field("finished", &self.is_finished())
            .finish()
    }
}
