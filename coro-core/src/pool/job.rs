//! A job: a closure for another thread, with its outcome.

use std::any::Any;
use std::fmt;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use super::home::LoopOfJob;
use crate::panics::unpoisoned;
use crate::report::{ErrorReport, ReportKind};

/// A closure to be called on another thread, as an [`Executor`](super::Executor) receives it.
///
/// [`run`](Self::run) calls it on the current thread. A job that is dropped without being run is
/// cancelled: the task that awaits its outcome gets an error.
pub struct Job(Option<Arc<dyn Run>>);

/// Whether a job was cancelled. A running job may check it, and end early.
///
/// It can be shared with threads that the job itself starts.
#[derive(Debug, Default)]
pub struct CancelFlag(AtomicBool);

/// The reason why a job has no value.
pub(crate) enum Failure {
    Cancelled,
    Panicked(Box<dyn Any + Send>),
    Refused(io::Error),
}

/// A job as the thread that runs it sees it.
pub(super) trait Run: Send + Sync {
    fn run(&self);
    /// The job will not be run: drops the closure, and passes the reason to the waiter.
    fn withdraw(&self, why: Failure);
    /// Whether the job still waits for a thread.
    fn is_queued(&self) -> bool;
    fn cancel_flag(&self) -> &CancelFlag;
    fn origin(&self) -> &'static Location<'static>;
}

/// A job as the future that waits for it sees it.
pub(crate) trait Outcome<T>: Send + Sync {
    fn poll(&self, waker: &Waker) -> Poll<Result<T, Failure>>;
    /// The waiter is gone and the job is not wanted: drops the closure if it was not called.
    fn abandon(&self);
    /// The waiter is gone, but the job is run all the same.
    fn detach(&self);
    fn is_finished(&self) -> bool;
    fn made_at(&self) -> &'static Location<'static>;
}

struct Cell<F, T> {
    state: Mutex<JobState<F, T>>,
    cancel: CancelFlag,
    home: LoopOfJob,
    origin: &'static Location<'static>,
}

struct JobState<F, T> {
    stage: JobStage<F, T>,
    audience: Audience,
}

enum JobStage<F, T> {
    Queued(F),
    Running,
    Done(Result<T, Failure>),
    Over,
}

enum Audience {
    /// The waiter exists, but has not registered a waker.
    Expected,
    Waits(Waker),
    Gone,
}

/// Makes a job. One allocation holds its closure, its outcome and its waiter.
pub(crate) fn new<F, T>(
    f: F,
    home: LoopOfJob,
    origin: &'static Location<'static>,
) -> (Job, Arc<dyn Outcome<T>>)
where
    F: FnOnce(&CancelFlag) -> T + Send + 'static,
    T: Send + 'static,
{
    let state = JobState {
        stage: JobStage::Queued(f),
        audience: Audience::Expected,
    };
    let cell = Arc::new(Cell {
        state: Mutex::new(state),
        cancel: CancelFlag::default(),
        home,
        origin,
    });
    (Job(Some(cell.clone())), cell)
}

impl Job {
    /// Calls the closure, on this thread. A panic is caught, and passed to the future that awaits
    /// the outcome.
    #[inline]
    pub fn run(mut self) {
        if let Some(job) = self.0.take() {
            job.run();
        }
    }

    /// Drops the closure without calling it. The future that awaits the outcome gets the error
    /// `why`.
    ///
    /// It is for executors that have no thread to run the job on.
    #[inline]
    pub fn refuse(mut self, why: io::Error) {
        if let Some(job) = self.0.take() {
            job.withdraw(Failure::Refused(why));
        }
    }

    #[inline]
    pub(super) fn into_run(mut self) -> Option<Arc<dyn Run>> {
        self.0.take()
    }

    #[inline]
    pub(super) fn is_queued(&self) -> bool {
        self.0.as_ref().is_some_and(|job| job.is_queued())
    }
}

impl Drop for Job {
    #[inline]
    fn drop(&mut self) {
        if let Some(job) = self.0.take() {
            job.withdraw(Failure::Cancelled);
        }
    }
}

impl fmt::Debug for Job {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.0.as_ref().map(|job| job.origin());
        f.debug_struct("Job").field("origin", &origin).finish()
    }
}

impl CancelFlag {
    /// Whether the job was cancelled: its future was dropped, or the pool is being shut down.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    #[inline]
    pub(super) fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl<F, T> Cell<F, T> {
    fn lock(&self) -> MutexGuard<'_, JobState<F, T>> {
        unpoisoned(self.state.lock())
    }

    /// Takes the closure, to call or drop it, unless it was taken before.
    fn begin(&self) -> Option<F> {
        let mut state = self.lock();
        match mem::replace(&mut state.stage, JobStage::Running) {
            JobStage::Queued(f) => Some(f),
            other => {
                state.stage = other;
                None
            }
        }
    }

    /// Stores the outcome and wakes the waiter; without a waiter, drops the outcome.
    fn finish(&self, result: Result<T, Failure>) {
        let mut state = self.lock();
        let audience = mem::replace(&mut state.audience, Audience::Expected);
        if let Audience::Gone = audience {
            state.stage = JobStage::Over;
            drop(state);
            self.discard(result);
        } else {
            state.stage = JobStage::Done(result);
            drop(state);
        }
        if let Audience::Waits(waker) = audience {
            self.contain(ReportKind::WakePanicked, || waker.wake());
        }
        self.home.settle();
    }

    /// Drops an outcome that has no waiter, and reports a panic or a refusal.
    fn discard(&self, result: Result<T, Failure>) {
        match result {
            Ok(value) => self.contain(ReportKind::DropPanicked, || drop(value)),
            Err(Failure::Cancelled) => {}
            Err(Failure::Panicked(payload)) => {
                self.report(ErrorReport::of_panic(
                    ReportKind::JobPanicked,
                    payload.as_ref(),
                ));
                self.contain(ReportKind::DropPanicked, || drop(payload));
            }
            Err(Failure::Refused(error)) => {
                self.report(ErrorReport::new(ReportKind::JobRefused, error.to_string()));
            }
        }
    }

    /// Calls foreign code, and reports its panic.
    fn contain(&self, kind: ReportKind, f: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
            self.report(ErrorReport::of_panic(kind, payload.as_ref()));
            mem::forget(payload); // its destructor may panic as well
        }
    }

    fn report(&self, report: ErrorReport) {
        self.home.report(report.from(self.origin));
    }

    /// The waiter is gone. Gives the closure or outcome to dispose of, unless the job goes on.
    fn leave(&self, may_start: bool) -> Option<JobStage<F, T>> {
        let mut state = self.lock();
        let before = mem::replace(&mut state.audience, Audience::Gone);
        let stage = mem::replace(&mut state.stage, JobStage::Over);
        let goes_on = match stage {
            JobStage::Running => true,
            JobStage::Queued(_) => may_start,
            JobStage::Done(_) | JobStage::Over => false,
        };
        let left = if goes_on {
            state.stage = stage;
            None
        } else {
            Some(stage)
        };
        drop(state);
        drop(before);
        left
    }
}

impl<F, T> Run for Cell<F, T>
where
    F: FnOnce(&CancelFlag) -> T + Send,
    T: Send,
{
    fn run(&self) {
        if let Some(f) = self.begin() {
            let result = catch_unwind(AssertUnwindSafe(|| f(&self.cancel)));
            self.finish(result.map_err(Failure::Panicked));
        }
    }

    fn withdraw(&self, why: Failure) {
        if let Some(f) = self.begin() {
            self.contain(ReportKind::DropPanicked, || drop(f));
            self.finish(Err(why));
        }
    }

    fn is_queued(&self) -> bool {
        matches!(self.lock().stage, JobStage::Queued(_))
    }

    fn cancel_flag(&self) -> &CancelFlag {
        &self.cancel
    }

    fn origin(&self) -> &'static Location<'static> {
        self.origin
    }
}

impl<F, T> Outcome<T> for Cell<F, T>
where
    F: FnOnce(&CancelFlag) -> T + Send,
    T: Send,
{
    fn poll(&self, waker: &Waker) -> Poll<Result<T, Failure>> {
        let waker = waker.clone(); // foreign code: not under the lock
        let mut state = self.lock();
        match mem::replace(&mut state.stage, JobStage::Over) {
            JobStage::Done(result) => Poll::Ready(result),
            JobStage::Over => panic!("a job was polled again after it gave its outcome"),
            stage => {
                state.stage = stage;
                let before = mem::replace(&mut state.audience, Audience::Waits(waker));
                drop(state);
                drop(before);
                Poll::Pending
            }
        }
    }

    fn abandon(&self) {
        self.cancel.cancel();
        match self.leave(false) {
            Some(JobStage::Queued(f)) => {
                self.home.settle();
                drop(f);
            }
            Some(JobStage::Done(result)) => self.discard(result),
            _ => {}
        }
    }

    fn detach(&self) {
        if let Some(JobStage::Done(result)) = self.leave(true) {
            self.discard(result);
        }
    }

    fn is_finished(&self) -> bool {
        matches!(self.lock().stage, JobStage::Done(_) | JobStage::Over)
    }

    fn made_at(&self) -> &'static Location<'static> {
        self.origin
    }
}
