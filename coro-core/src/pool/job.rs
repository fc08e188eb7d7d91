//! A job: a closure on its way to a thread, or its outcome on the way back.

use std::any::Any;
use std::fmt;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::home::Home;
use crate::report::{ErrorReport, ReportKind};

/// A closure that is to be called on some thread, as an [`Executor`](super::Executor) is given it.
///
/// [`run`](Self::run) calls it, whatever the thread. Dropped without that, it cancels itself: whoever
/// awaits the outcome is told so.
pub struct Job(Option<Arc<dyn Run>>);

/// Whether the one who asked for a job has given it up: a running job may look at it, and end early.
///
/// It is for threads: it can be shared with those that the job itself starts.
#[derive(Debug, Default)]
pub struct CancelFlag(AtomicBool);

/// Why a job has no value.
pub(crate) enum Failure {
    Cancelled,
    Panicked(Box<dyn Any + Send>),
    Refused(io::Error),
}

/// A job as seen by whoever runs it.
pub(super) trait Run: Send + Sync {
    fn run(&self);
    /// It will not be run: drops the closure, and tells whoever waits.
    fn withdraw(&self, why: Failure);
    /// Whether it still waits for a thread.
    fn is_queued(&self) -> bool;
    fn cancel_flag(&self) -> &CancelFlag;
    fn origin(&self) -> &'static Location<'static>;
}

/// A job as seen by whoever waits for it.
pub(crate) trait Outcome<T>: Send + Sync {
    fn poll(&self, waker: &Waker) -> Poll<Result<T, Failure>>;
    /// Nobody will ask any more, and nobody wants it run: drops the closure if it was not called.
    fn abandon(&self);
    /// Nobody will ask any more, but it is to be run all the same.
    fn detach(&self);
    fn is_finished(&self) -> bool;
    fn made_at(&self) -> &'static Location<'static>;
}

struct Cell<F, T> {
    state: Mutex<State<F, T>>,
    cancel: CancelFlag,
    home: Home,
    origin: &'static Location<'static>,
}

struct State<F, T> {
    stage: Stage<F, T>,
    audience: Audience,
}

enum Stage<F, T> {
    Queued(F),
    Running,
    Done(Result<T, Failure>),
    Over,
}

enum Audience {
    /// Somebody may poll, or has yet to.
    Expected,
    Waits(Waker),
    Gone,
}

/// Makes a job; one allocation is its closure, its outcome and both ends of the way between them.
pub(crate) fn new<F, T>(
    f: F,
    home: Home,
    origin: &'static Location<'static>,
) -> (Job, Arc<dyn Outcome<T>>)
where
    F: FnOnce(&CancelFlag) -> T + Send + 'static,
    T: Send + 'static,
{
    let state = State {
        stage: Stage::Queued(f),
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
    /// Calls the closure, on this thread. A panic is caught, and goes to whoever awaits the outcome.
    pub fn run(mut self) {
        if let Some(job) = self.0.take() {
            job.run();
        }
    }

    /// Drops the closure, because of an error that whoever awaits the outcome is told of.
    ///
    /// It is for executors that have no thread to run the job on.
    pub fn refuse(mut self, why: io::Error) {
        if let Some(job) = self.0.take() {
            job.withdraw(Failure::Refused(why));
        }
    }

    pub(super) fn into_run(mut self) -> Option<Arc<dyn Run>> {
        self.0.take()
    }

    pub(super) fn is_queued(&self) -> bool {
        self.0.as_ref().is_some_and(|job| job.is_queued())
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(job) = self.0.take() {
            job.withdraw(Failure::Cancelled);
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.0.as_ref().map(|job| job.origin());
        f.debug_struct("Job").field("origin", &origin).finish()
    }
}

impl CancelFlag {
    /// Whether it was cancelled: the future of the job was dropped, or the pool is being shut down.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl<F, T> Cell<F, T> {
    fn lock(&self) -> MutexGuard<'_, State<F, T>> {
        // No foreign code runs under the lock, so what a panic left behind is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the closure, which is called from now on, unless it was withdrawn.
    fn begin(&self) -> Option<F> {
        let mut state = self.lock();
        match mem::replace(&mut state.stage, Stage::Running) {
            Stage::Queued(f) => Some(f),
            other => {
                state.stage = other;
                None
            }
        }
    }

    /// Hands the outcome to whoever waits; if nobody does, it ends here.
    fn finish(&self, result: Result<T, Failure>) {
        let mut state = self.lock();
        let audience = mem::replace(&mut state.audience, Audience::Expected);
        if let Audience::Gone = audience {
            state.stage = Stage::Over;
            drop(state);
            self.discard(result);
        } else {
            state.stage = Stage::Done(result);
            drop(state);
        }
        if let Audience::Waits(waker) = audience {
            self.contain(ReportKind::WakePanicked, || waker.wake());
        }
        self.home.settle();
    }

    /// Drops an outcome that nobody will see, and reports it if it is a bad one.
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

    /// Calls foreign code, and reports if it panics.
    fn contain(&self, kind: ReportKind, f: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
            self.report(ErrorReport::of_panic(kind, payload.as_ref()));
            mem::forget(payload); // its destructor may panic as well
        }
    }

    fn report(&self, report: ErrorReport) {
        self.home.report(report.from(self.origin));
    }

    /// Nobody will ask any more: what is left over, unless the job is still to come to its end.
    fn leave(&self, may_start: bool) -> Option<Stage<F, T>> {
        let mut state = self.lock();
        let before = mem::replace(&mut state.audience, Audience::Gone);
        let stage = mem::replace(&mut state.stage, Stage::Over);
        let goes_on = match stage {
            Stage::Running => true,
            Stage::Queued(_) => may_start,
            Stage::Done(_) | Stage::Over => false,
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
        matches!(self.lock().stage, Stage::Queued(_))
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
        match mem::replace(&mut state.stage, Stage::Over) {
            Stage::Done(result) => Poll::Ready(result),
            Stage::Over => panic!("a job was polled again after it gave its outcome"),
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
            Some(Stage::Queued(f)) => {
                self.home.settle();
                drop(f);
            }
            Some(Stage::Done(result)) => self.discard(result),
            _ => {}
        }
    }

    fn detach(&self) {
        if let Some(Stage::Done(result)) = self.leave(true) {
            self.discard(result);
        }
    }

    fn is_finished(&self) -> bool {
        matches!(self.lock().stage, Stage::Done(_) | Stage::Over)
    }

    fn made_at(&self) -> &'static Location<'static> {
        self.origin
    }
}
