//! The handles of a task: `Task` takes the output, `TaskHandle` does not.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::collector::Look;
use super::count::TaskRef;
use super::id::TaskId;
use super::large::is_large;
use super::looking::{self, Collecting};
use super::scheduler::Scheduler;
use super::state::{Snapshot, TaskPhase};
use super::step::Step;
use super::{budget, context, current, waker};
use crate::error::JoinError;

/// A task that runs on the loop, and the future of its output.
///
/// The counterpart of `asyncio.Task`. The loop owns the task: dropping this handle *detaches* the
/// task, which runs on and is never lost. No handle can then await its output. So a panic goes to
/// the loop's [exception handler](crate::event_loop::LoopHandle::set_exception_handler), and so does
/// the error of an output of type `Result<(), E>`, if `E` is [`std::io::Error`], a boxed
/// [`std::error::Error`], `String`, `&'static str`, [`JoinError`] or
/// [`Elapsed`](crate::error::Elapsed).
///
/// ```
/// coro::run(async {
///     let task = coro::spawn(async { 6 * 7 });
///     assert_eq!(task.await.unwrap(), 42);
/// });
/// ```
///
/// # If the compiler says ..
///
/// - "cannot be sent between threads safely", and "it appears within the type `Task`": a task belongs
///   to the thread of its loop. Another thread reaches the loop by a
///   [`RemoteHandle`](crate::event_loop::RemoteHandle), whose `spawn` gives a handle for threads.
/// - "`fn() -> .. {work}` is not a future", at `spawn`: call the function, `spawn(work())`.
///
/// # Cancelling
///
/// [`cancel`](Self::cancel) drops the future when the task's turn comes. The destructors in it are
/// the clean-up; the future cannot refuse. Awaiting the task then gives a [`JoinError`] for which
/// [`is_cancelled`](JoinError::is_cancelled) is true. Dropping the `.await` of a `&mut Task` loses
/// nothing: the task runs on, and the handle can be awaited again.
///
/// # Panics
///
/// Polling it again after it gave its output panics.
#[doc(alias = "JoinHandle")]
pub struct Task<T> {
    task: JoinRef,
    output: PhantomData<T>,
}

/// The reference of the handle that can take the output. What the handle knows stands in the task's
/// state, so that a handle is two words, which are passed in registers.
struct JoinRef(TaskRef);

impl<T> Task<T> {
    #[inline]
    pub(super) fn new(task: TaskRef) -> Self {
        Task {
            task: JoinRef(task),
            output: PhantomData,
        }
    }

    /// The handle of a task that keeps its output in a box, as every task with a large output does.
    pub(super) fn of_boxed(task: Task<Box<T>>) -> Self {
        debug_assert!(is_large::<T>());
        Task {
            task: task.task,
            output: PhantomData,
        }
    }

    /// The output of type `O` of a task that is done: the task's own, or a box for it.
    #[inline]
    fn poll_stored<O>(&mut self, cx: &mut Context<'_>) -> Poll<Result<O, JoinError>> {
        ready!(budget::poll(cx));
        match self.task.0.take_output() {
            Some(output) => Poll::Ready(output),
            None => polled_again(&self.task.0),
        }
    }

    /// Cancels the task: its future is dropped when its turn comes.
    ///
    /// A cancelled task is never polled again, even if it was woken. A task that is cancelled before
    /// its first step never runs. If a lock, a channel or another primitive has already served the
    /// task as a waiter, the lock or item goes to the next waiter. A task that cancels itself runs on
    /// to its next wait, and is dropped there; if it returns first, its output counts. Gives `false`
    /// if the task is done or was cancelled before.
    #[doc(alias = "abort")]
    pub fn cancel(&self) -> bool {
        waker::cancel_here(&self.task.0)
    }

    /// The output, if it is there and was not taken before.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Result<T, JoinError>> {
        match const { is_large::<T>() } {
            true => Some(self.task.0.take_output::<Box<T>>()?.map(|boxed| *boxed)),
            false => self.task.0.take_output(),
        }
    }

    /// Whether the task is done: by its output, a panic or a cancellation.
    pub fn is_finished(&self) -> bool {
        self.task.0.header().node.state.is_done()
    }

    /// The task's number.
    pub fn id(&self) -> TaskId {
        TaskId(self.task.0.header().id)
    }

    /// The name that was given to the task, or else `Task-N` with its number.
    pub fn name(&self) -> String {
        self.task.0.header().name()
    }

    /// Gives the task a name, for reports and listings.
    pub fn set_name(&self, name: impl Into<Box<str>>) {
        self.task.0.header().extra.set_name(name.into());
    }

    /// Registers `f` to be called by the loop, as by `call_soon`, once the task is done.
    ///
    /// Callbacks are called in the order in which they were added, with the values that
    /// [task-locals](crate::task::TaskLocal) have now. A callback that is added to a task that is
    /// done is called at the loop's next turn. A closed loop calls no callbacks: one that is added to
    /// a task of a closed loop, or to a task that ends with its loop, is dropped.
    pub fn add_done_callback(&self, f: impl FnOnce(TaskHandle) + 'static) {
        if self.is_finished() {
            let handle = self.handle();
            let scheduler = self.task.0.scheduler();
            scheduler
                .call_soon(self.task.0.header().origin, move || f(handle))
                .forget();
        } else {
            self.task.0.header().add_callback(match current::values() {
                None => Box::new(f),
                Some(values) => Box::new(|handle| context::call(values, || f(handle))),
            });
        }
    }

    /// Makes the task end with this handle: dropping the handle cancels the task.
    #[must_use = "it is the returned handle that cancels the task when it is dropped"]
    pub fn cancel_on_drop(self) -> Self {
        self.task.0.header().node.state.bind_to_handle();
        self
    }

    /// Another handle of the same task, which cannot take the output.
    pub fn handle(&self) -> TaskHandle {
        TaskHandle::new(self.task.0.clone())
    }
}

#[cold]
fn polled_again(task: &TaskRef) -> ! {
    panic!(
        "{} was polled again after it gave its output",
        task.header().name()
    )
}

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let header = self.task.0.header();
        if !header.node.state.is_done() {
            let joiner = match header.joiner.take() {
                Some(joiner) if joiner.will_wake(cx.waker()) => joiner,
                _ => cx.waker().clone(),
            };
            header.joiner.set(Some(joiner));
            header.node.state.set_awaited();
            if looking::is_looking() {
                let step = Step::Task {
                    id: self.id(),
                    spawned_at: header.origin,
                };
                looking::leaf_at(step, Location::caller(), type_name::<Self>());
            }
            return Poll::Pending;
        }
        match const { is_large::<T>() } {
            true => self.poll_stored::<Box<T>>(cx).map_ok(|boxed| *boxed),
            false => self.poll_stored(cx),
        }
    }
}

impl<T> Unpin for Task<T> {}

impl Drop for JoinRef {
    #[inline]
    fn drop(&mut self) {
        if self.0.header().node.state.is_watched() {
            self.detach();
        }
    }
}

impl JoinRef {
    /// Leaves the task without a handle that could take its output.
    fn detach(&self) {
        let header = self.0.header();
        if header.node.state.is_done() {
            return self.0.drop_output();
        }
        header.node.state.unwatch();
        if header.node.state.is_bound_to_handle() {
            waker::cancel_here(&self.0);
        }
        let joiner = header.joiner.take(); // a foreign waker may panic when it is dropped
        self.0.scheduler().contain_drop(|| drop(joiner));
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("Task", &self.task.0, f)
    }
}

/// A second handle of a task: it can name and cancel the task, but not take its output.
///
/// Keeping one does not keep the task running, and dropping one does nothing to the task. Its `Debug`
/// form shows the name and the state of the task: `idle` while it waits, `queued` once it is woken,
/// `running` or `finished`; and whether an unfinished task is `cancelled`.
#[derive(Clone)]
#[doc(alias = "AbortHandle")]
pub struct TaskHandle {
    task: TaskRef,
}

impl TaskHandle {
    #[inline]
    pub(super) fn new(task: TaskRef) -> Self {
        TaskHandle { task }
    }

    /// The task that this scheduler's loop is polling.
    pub(crate) fn current(scheduler: &Rc<Scheduler>) -> Option<Self> {
        waker::running(scheduler).map(TaskHandle::new)
    }

    /// Polls the task once more if it waits, and gives the steps that it has reported.
    pub(crate) fn look(&self) -> Option<Look> {
        let state = &self.task.header().node.state;
        let waits = state.snapshot().phase == TaskPhase::Idle;
        waits.then(|| {
            let collecting = Collecting::begin(self.task.clone());
            self.task.run_idle();
            collecting.end()
        })
    }

    /// The name, if the task was given one.
    pub(crate) fn given_name(&self) -> Option<Box<str>> {
        self.task.header().extra.name()
    }

    pub(crate) fn spawned_by(&self) -> Option<TaskId> {
        self.task.header().spawned_by().map(TaskId)
    }

    /// The name of the type of the future.
    pub(crate) fn future_name(&self) -> &'static str {
        (self.task.header().node.table.type_name)()
    }

    /// The phase, and whether the task was cancelled.
    pub(crate) fn phase(&self) -> (TaskPhase, bool) {
        let Snapshot { phase, cancelled } = self.task.header().node.state.snapshot();
        (phase, cancelled)
    }

    /// How many wakers of the task there are.
    pub(crate) fn wakers(&self) -> usize {
        self.task.wakers()
    }

    /// For how long it has waited, if the loop measures that.
    pub(crate) fn waited(&self) -> Option<Duration> {
        let since = self.task.header().extra.waits_since()?;
        Some(since.elapsed())
    }

    /// As [`Task::cancel`]. It is `false` for the main future, which ends by returning.
    pub fn cancel(&self) -> bool {
        waker::cancel_here(&self.task)
    }

    /// As [`Task::is_finished`].
    pub fn is_finished(&self) -> bool {
        self.task.header().node.state.is_done()
    }

    /// The task's number.
    pub fn id(&self) -> TaskId {
        TaskId(self.task.header().id)
    }

    pub(crate) fn number(&self) -> u64 {
        self.task.header().id
    }

    /// The name that was given to the task, or else `Task-N` with its number. A main future is called
    /// `main`.
    pub fn name(&self) -> String {
        self.task.header().name()
    }

    /// Gives the task a name, for reports and listings.
    pub fn set_name(&self, name: impl Into<Box<str>>) {
        self.task.header().extra.set_name(name.into());
    }

    /// Where the task was spawned.
    pub fn origin(&self) -> &'static Location<'static> {
        self.task.header().origin
    }
}

impl Scheduler {
    /// The unfinished tasks, in the order in which they were spawned.
    pub(crate) fn tasks(self: &Rc<Self>) -> Vec<TaskHandle> {
        let mut tasks = Vec::new();
        self.for_each_task(|task| tasks.push(TaskHandle::new(task)));
        tasks
    }
}

impl PartialEq for TaskHandle {
    /// Whether both are handles of the same task.
    fn eq(&self, other: &Self) -> bool {
        self.task.as_ptr() == other.task.as_ptr()
    }
}

impl Eq for TaskHandle {}

impl fmt::Debug for TaskHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug("TaskHandle", &self.task, f)
    }
}

fn debug(handle: &str, task: &TaskRef, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Snapshot { phase, cancelled } = task.header().node.state.snapshot();
    let state = match phase {
        TaskPhase::Idle => "idle",
        TaskPhase::Queued => "queued",
        TaskPhase::Running => "running",
        TaskPhase::Finished => "finished",
    };
    let cancelled = match cancelled && phase != TaskPhase::Finished {
        true => ", cancelled",
        false => "",
    };
    write!(f, "{handle}({} {state}{cancelled})", task.header().name())
}
