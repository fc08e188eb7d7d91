//! A group of the loop's tasks that end together.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::attempting::{Attempting, Judge};
use super::error::{Cause, GroupClosed, ScopeError};
use super::verdict::{Duty, GroupVerdict, Policy};
use crate::error::Cancelled;
use crate::event_loop::{LoopHandle, current_task};
use crate::task::{Step, looking};
use crate::task::{Task, TaskHandle, TaskId, is_large};

/// Tasks that end together. A group does the same as [`try_scope`](crate::group::try_scope), but
/// for tasks of the loop, and for code that cannot use a closure.
///
/// The counterpart of `asyncio.TaskGroup`. Its tasks own the values that they use, run beside the
/// task that made the group, and continue whether or not the group is awaited.
/// [`join`](Self::join) waits for all of them; [`run`](Self::run) does the same and runs a body
/// meanwhile. Tasks may spawn other tasks into the group, by a clone of its
/// [`handle`](Self::handle).
///
/// Dropping the group cancels its tasks, in the order in which they were spawned. So does dropping
/// its `join` or `run`.
///
/// ```
/// coro::run(async {
///     let group = coro::TaskGroup::fallible();
///     let a = group.try_spawn(async { "4".parse::<i32>() }).unwrap();
///     let b = group.try_spawn(async { "5".parse::<i32>() }).unwrap();
///     group.join().await.unwrap();
///     assert_eq!(a.await.unwrap() + b.await.unwrap(), 9);
/// });
/// ```
///
/// # If the compiler says ..
///
/// - "expected `Result<_, Infallible>`": a task may fail. Make the group by
///   [`TaskGroup::fallible()`](Self::fallible).
/// - "`TaskGroup` is not a future": await [`group.join()`](Self::join).
/// - "`Result<Task<_>, GroupClosed>` is not a future": `spawn` fails if the group takes no more tasks;
///   write `group.spawn(..)?.await` or `.unwrap().await`.
///
/// # Failures
///
/// As in a `try_scope`: a task made with [`try_spawn`](GroupHandle::try_spawn) fails with its
/// error, under a [`Policy`], and a panic in any task ends the group. The failure goes to the
/// caller of `join` or `run`; the task's own handle then says that the task was cancelled.
#[doc(alias("JoinSet", "TaskTracker", "nursery"))]
pub struct TaskGroup<E: 'static = Infallible> {
    handle: GroupHandle<E>,
}

/// A handle to spawn into a [`TaskGroup`] and to cancel it. Clones are for the group's tasks.
pub struct GroupHandle<E: 'static = Infallible> {
    group: Rc<Group<E>>,
}

struct Group<E> {
    members: RefCell<BTreeMap<TaskId, TaskHandle>>,
    verdict: GroupVerdict<E>,
    /// Whether the group takes no more tasks.
    closed: Cell<bool>,
    /// Whether the tasks were cancelled; then the body is not polled again.
    ended: Cell<bool>,
    waiter: Cell<Option<Waker>>,
}

impl TaskGroup {
    /// An empty group of tasks that cannot fail, made with [`spawn`](GroupHandle::spawn). For tasks
    /// that return errors make a [`fallible`](TaskGroup::fallible) group.
    ///
    /// ```
    /// coro::run(async {
    ///     let group = coro::TaskGroup::new();
    ///     let one = group.spawn(async { 1 }).unwrap();
    ///     group.join().await.unwrap();
    ///     assert_eq!(one.await.unwrap(), 1);
    /// });
    /// ```
    #[expect(clippy::new_without_default, reason = "a group is not a value")]
    #[inline]
    pub fn new() -> Self {
        TaskGroup::fallible()
    }
}

impl<E> TaskGroup<E> {
    /// An empty group of tasks that may fail with an `E`, made with
    /// [`try_spawn`](GroupHandle::try_spawn). `E` is inferred from the tasks, or written:
    /// `TaskGroup::<io::Error>::fallible()`.
    ///
    /// ```
    /// coro::run(async {
    ///     let group = coro::TaskGroup::fallible();
    ///     let _ = group.try_spawn(async { "x".parse::<u32>() }).unwrap();
    ///     let error = group.join().await.unwrap_err();
    ///     assert_eq!(error.failures().len(), 1);
    /// });
    /// ```
    pub fn fallible() -> Self {
        let group = Group {
            members: RefCell::default(),
            verdict: GroupVerdict::default(),
            closed: Cell::default(),
            ended: Cell::default(),
            waiter: Cell::default(),
        };
        TaskGroup {
            handle: GroupHandle {
                group: Rc::new(group),
            },
        }
    }

    /// The handle. Clone it for the tasks of the group.
    pub fn handle(&self) -> &GroupHandle<E> {
        &self.handle
    }

    /// Waits until all tasks have ended, including tasks that they spawn meanwhile. Then the group
    /// takes no more tasks.
    ///
    /// # Errors
    ///
    /// A [`ScopeError`] with all failures, if there were any. A cancelled group is not an error
    /// here.
    ///
    /// # Panics
    ///
    /// With the first panic of a task.
    pub async fn join(self) -> Result<(), ScopeError<E>> {
        match self.run(async { Ok(()) }).await {
            Err(error) if error.cancelled().is_some() && error.failures().is_empty() => Ok(()),
            outcome => outcome,
        }
    }

    /// Runs `body`, and then waits as [`join`](Self::join) does. The body is dropped if the group
    /// ends early. Its error is a failure of the group.
    ///
    /// # Errors
    ///
    /// A [`ScopeError`] with all failures, or if the group was cancelled before the body had its
    /// value.
    ///
    /// # Panics
    ///
    /// With the first panic of a task. If the body panics, the group is dropped.
    pub async fn run<T>(
        self,
        body: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ScopeError<E>> {
        let group = &*self.handle.group;
        let mut body = pin!(Some(body));
        let mut value = None;
        let mut poll = |cx: &mut Context<'_>| {
            if let Some(future) = body.as_mut().as_pin_mut()
                && !group.ended.get()
                && let Poll::Ready(result) = future.poll(cx)
            {
                body.set(None);
                match result {
                    Ok(output) => value = Some(output),
                    Err(error) => group.fulfil(group.verdict.failure(error)),
                }
            }
            if group.ended.get() {
                body.set(None);
            }
            match body.is_none() && group.members.borrow().is_empty() {
                true => Poll::Ready(()),
                false => group.wait(cx),
            }
        };
        poll_fn(|cx| looking::group("TaskGroup", false, || poll(cx))).await;
        group.closed.set(true);
        if let Some(payload) = group.verdict.take_panic() {
            resume_unwind(payload);
        }
        group.verdict.settle(value)
    }
}

impl<E> GroupHandle<E> {
    /// Makes `future` a task of the group and of the running loop.
    ///
    /// # Errors
    ///
    /// [`GroupClosed`], if the group [is closed](Self::is_closed): the future is dropped.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn spawn<F: Future + 'static>(&self, future: F) -> Result<Task<F::Output>, GroupClosed> {
        if self.group.is_closed() {
            return Err(GroupClosed);
        }
        Ok(self.add(future))
    }

    /// Makes `future` a task whose error is a failure of the group, and whose handle gives the
    /// value of its success. Otherwise as [`spawn`](Self::spawn).
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    #[track_caller]
    pub fn try_spawn<F, T>(&self, future: F) -> Result<Task<T>, GroupClosed>
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: 'static,
    {
        if self.group.is_closed() {
            return Err(GroupClosed);
        }
        Ok(match const { is_large::<F>() } {
            true => self.try_add(Box::pin(future)),
            false => self.try_add(future),
        })
    }

    #[track_caller]
    fn try_add<F, T>(&self, future: F) -> Task<T>
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: 'static,
    {
        let attempt = GroupAttempt::new(&self.group);
        self.add(Attempting::new(future, attempt))
    }

    #[track_caller]
    fn add<F: Future + 'static>(&self, future: F) -> Task<F::Output> {
        match const { is_large::<F>() } {
            true => self.add_here(Box::pin(future)),
            false => self.add_here(future),
        }
    }

    #[track_caller]
    fn add_here<F: Future + 'static>(&self, future: F) -> Task<F::Output> {
        let number = Rc::new(Cell::new(None));
        let task = LoopHandle::current().spawn(Member {
            future,
            place: GroupSlot {
                group: self.group.clone(),
                number: number.clone(),
            },
        });
        if !task.is_finished() {
            number.set(Some(task.id()));
            let mut members = self.group.members.borrow_mut();
            members.insert(task.id(), task.handle());
        }
        task
    }

    /// Cancels all tasks, in the order in which they were spawned, and the body of
    /// [`run`](TaskGroup::run). The group takes no more tasks. Only the first call sets the reason.
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<Box<str>>) {
        let cancelled = Cancelled::new(reason.into(), Location::caller());
        self.group
            .fulfil(self.group.verdict.end(Cause::Cancelled(cancelled)));
    }

    /// Sets the effect of one task's failure on the other tasks, before the first task is spawned.
    /// The default is [`Policy::AllSucceed`].
    pub fn policy(&self, policy: Policy) -> &Self {
        self.group.verdict.set_policy(policy);
        self
    }

    /// Whether the group takes no more tasks, because it has ended or is about to end.
    pub fn is_closed(&self) -> bool {
        self.group.is_closed()
    }

    /// The number of tasks that have not ended.
    pub fn len(&self) -> usize {
        self.group.members.borrow().len()
    }

    /// Whether all tasks have ended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<E> Group<E> {
    fn is_closed(&self) -> bool {
        self.closed.get() || self.verdict.is_ending()
    }

    fn wait(&self, cx: &Context<'_>) -> Poll<()> {
        let before = self.waiter.replace(Some(cx.waker().clone()));
        drop(before);
        if looking::is_looking() {
            self.report_members();
        }
        Poll::Pending
    }

    fn report_members(&self) {
        looking::hold();
        for task in self.members.borrow().values() {
            looking::leaf_without_waker(Step::Task {
                id: task.id(),
                spawned_at: task.origin(),
            });
        }
    }

    fn wake(&self) {
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }

    fn fulfil(&self, duty: Duty) {
        match duty {
            Duty::Nothing => {}
            Duty::EndChildren => self.cancel_members(),
            Duty::EndAfterTurn | Duty::End => {
                self.ended.set(true);
                self.cancel_members();
                self.wake();
            }
        }
    }

    fn cancel_members(&self) {
        let members: Vec<TaskHandle> = self.members.borrow().values().cloned().collect();
        for member in members {
            member.cancel();
        }
    }
}

/// Ends the present task without a value.
#[inline]
fn cancel_self() {
    if let Some(task) = current_task() {
        task.cancel();
    }
}

/// A task that can still succeed or fail. Dropped when it has an outcome, or never will.
struct GroupAttempt<E> {
    group: Rc<Group<E>>,
}

impl<E: 'static> GroupAttempt<E> {
    fn new(group: &Rc<Group<E>>) -> Self {
        group.verdict.attempt();
        GroupAttempt {
            group: group.clone(),
        }
    }

    /// Ends the group by a callout, which stands in the loop's queue behind all tasks that were
    /// woken before it.
    fn end_after_turn(&self) {
        let group = self.group.clone();
        LoopHandle::current().call_soon(move || group.fulfil(Duty::End));
    }
}

impl<E: 'static> Judge<E> for GroupAttempt<E> {
    fn judge<T>(&self, result: Result<T, E>) -> Option<T> {
        let (value, duty) = self.group.verdict.judge(result);
        match duty {
            Duty::EndAfterTurn => self.end_after_turn(),
            duty => self.group.fulfil(duty),
        }
        if value.is_none() {
            cancel_self();
        }
        value
    }
}

impl<E> Drop for GroupAttempt<E> {
    fn drop(&mut self) {
        self.group.fulfil(self.group.verdict.attempt_over());
    }
}

/// A task's membership of the group, which dropping it ends.
struct GroupSlot<E> {
    group: Rc<Group<E>>,
    number: Rc<Cell<Option<TaskId>>>,
}

impl<E> Drop for GroupSlot<E> {
    fn drop(&mut self) {
        if let Some(number) = self.number.get() {
            let handle = self.group.members.borrow_mut().remove(&number);
            drop(handle);
        }
        if self.group.members.borrow().is_empty() {
            self.group.wake();
        }
    }
}

pin_project! {
    /// The future that the loop runs for a task of the group. The inner future is dropped before
    /// the place is given up.
    struct Member<F, E> {
        #[pin]
        future: F,
        place: GroupSlot<E>,
    }
}

impl<F: Future, E> Future for Member<F, E> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if this.place.group.verdict.policy() == Policy::Supervise {
            return this.future.poll(cx);
        }
        match catch_unwind(AssertUnwindSafe(|| this.future.poll(cx))) {
            Ok(polled) => polled,
            Err(payload) => {
                let group = &this.place.group;
                group.fulfil(group.verdict.panicked(payload));
                cancel_self();
                Poll::Pending
            }
        }
    }
}

impl<E> Deref for TaskGroup<E> {
    type Target = GroupHandle<E>;

    fn deref(&self) -> &GroupHandle<E> {
        &self.handle
    }
}

impl<E> Drop for TaskGroup<E> {
    fn drop(&mut self) {
        self.group.closed.set(true);
        self.group.cancel_members();
    }
}

impl<E> Clone for GroupHandle<E> {
    fn clone(&self) -> Self {
        GroupHandle {
            group: self.group.clone(),
        }
    }
}

impl<E> fmt::Debug for TaskGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<E> fmt::Debug for GroupHandle<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupHandle")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
