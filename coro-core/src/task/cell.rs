//! The cell of a task: one allocation, reached through counted pointers.
#![expect(
    unsafe_code,
    reason = "a cell erases the type of its future, and its parts end one after the other"
)]

use std::any::{Any, type_name};
use std::cell::{Cell, UnsafeCell};
use std::future::Future;
use std::mem::{ManuallyDrop, needs_drop, offset_of};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::block::BlockKind;
use super::count::{MERGED, TaskRef, release_loops};
use super::extra::{DoneCallback, ExtraCell};
use super::inbox::Inbox;
use super::join::TaskHandle;
use super::queue::{Links, Node, Origin, Ran, Table};
use super::scheduler::Scheduler;
use super::state::{Begin, Complete, State, Suspend};
use super::waker;
use crate::error::JoinError;
use crate::panics::Payload;
use crate::primitives::{Arc, AtomicIsize, Ordering};

#[repr(C)]
pub(super) struct Header {
    pub(super) node: Node,
    pub(super) inbox: NonNull<Inbox>,
    pub(super) remote: AtomicIsize,
    /// Wakers counted on the owner's thread, inside its loop. Only the sum with `remote` means
    /// anything.
    pub(super) wakers: Cell<i32>,
    /// The last half of the number of the task that spawned this one; of its own, if no task did.
    spawned_by: u32,
    pub(super) joiner: Cell<Option<Waker>>,
    pub(super) links: Links,
    pub(super) id: u64,
    pub(super) origin: Origin,
    pub(super) extra: ExtraCell,
}

#[repr(C)]
struct TaskCell<F: Future> {
    header: Header,
    stage: UnsafeCell<TaskStage<F>>,
}

/// The future until the task is done, and afterwards the output, while the state says that it is kept.
#[repr(C)]
union TaskStage<F: Future> {
    future: ManuallyDrop<F>,
    output: ManuallyDrop<Result<F::Output, JoinError>>,
}

impl Header {
    pub(super) const SPAWNED_BY: usize = offset_of!(Header, spawned_by);
    pub(super) const EXTRA: usize = offset_of!(Header, extra) + ExtraCell::POINTER;

    #[inline]
    pub(super) fn new(
        scheduler: &Scheduler,
        id: u64,
        table: &'static Table,
        state: State,
        handles: u32,
        origin: Origin,
    ) -> Self {
        Header {
            node: Node::new(table, state, handles),
            inbox: scheduler.inbox_ptr(),
            wakers: Cell::new(0),
            remote: AtomicIsize::new(0),
            spawned_by: spawned_by(scheduler, id),
            joiner: Cell::new(None),
            links: Links::default(),
            id,
            origin,
            extra: ExtraCell::default(),
        }
    }

    /// The inbox of the task's loop: its address is the loop's identity, and other threads reach the
    /// loop through it.
    #[inline]
    pub(super) fn inbox(&self) -> &Inbox {
        // SAFETY: while the task is unfinished, its loop keeps the inbox alive. Afterwards the task
        // itself does, if there are wakers that could ask.
        unsafe { self.inbox.as_ref() }
    }

    /// The number of the task that spawned this one; zero for the main future. It is right unless four
    /// thousand million tasks were spawned between the two.
    pub(super) fn spawned_by(&self) -> Option<u64> {
        let after = (self.id as u32).wrapping_sub(self.spawned_by);
        (after != 0).then(|| self.id.saturating_sub(u64::from(after)))
    }

    /// Whether dropping it would do nothing, as for most tasks: they have neither a joiner left nor
    /// an extra, and were not awaited by other threads.
    #[inline]
    pub(super) fn is_bare(&self) -> bool {
        // SAFETY: the joiner is only looked at, and on the thread of all that change it.
        let has_joiner = unsafe { (*self.joiner.as_ptr()).is_some() };
        self.remote.load(Ordering::Relaxed) & MERGED == 0 && !has_joiner && !self.extra.is_used()
    }

    pub(super) fn name(&self) -> String {
        let name = self.extra.name();
        name.map_or_else(|| format!("Task-{}", self.id), String::from)
    }

    pub(super) fn add_callback(&self, callback: DoneCallback) {
        self.node.state.set_awaited();
        self.extra.with(|extra| extra.callbacks.push(callback));
    }
}

/// The last half of the number of the task that is running, or else of `id`.
#[inline]
fn spawned_by(scheduler: &Scheduler, id: u64) -> u32 {
    // SAFETY: a task that is being polled or dropped is allocated.
    let by = |running: NonNull<Header>| unsafe { running.as_ref() }.id;
    scheduler.running().get().map_or(id, by) as u32
}

impl Drop for Header {
    #[inline]
    fn drop(&mut self) {
        if self.remote.load(Ordering::Relaxed) & MERGED != 0 {
            // SAFETY: gives back the count that was taken when the task's counts were merged. The
            // pointer is that of the scheduler's `Arc`.
            drop(unsafe { Arc::from_raw(self.inbox.as_ptr()) });
        }
    }
}

/// A new task in the ready queue.
#[inline]
pub(super) fn new_queued_task<F>(scheduler: &Rc<Scheduler>, future: F, origin: Origin) -> TaskRef
where
    F: Future + 'static,
{
    let task = new_task(
        scheduler,
        scheduler.next_id(),
        State::queued_task(),
        future,
        origin,
    );
    // SAFETY: the task is in no queue yet. The loop's reference keeps it allocated until it is
    // popped: if it ends before that, its state says that it is still queued.
    unsafe { scheduler.enqueue(task.as_ptr().cast()) };
    task
}

/// A new task that is in no queue. The caller polls it, wakes it or ends it, at once.
#[inline]
pub(super) fn new_idle_task<F>(
    scheduler: &Rc<Scheduler>,
    id: u64,
    future: F,
    origin: Origin,
) -> TaskRef
where
    F: Future + 'static,
{
    new_task(scheduler, id, State::idle_task(), future, origin)
}

/// Allocates a task in the list of unfinished tasks. It has two references: the loop's and the
/// handle's.
#[inline]
fn new_task<F>(
    scheduler: &Rc<Scheduler>,
    id: u64,
    state: State,
    future: F,
    origin: Origin,
) -> TaskRef
where
    F: Future + 'static,
{
    let table = &TaskCell::<F>::TABLE;
    let cell = scheduler
        .blocks()
        .alloc(const { TaskCell::<F>::TABLE.block });
    let cell = cell.cast::<TaskCell<F>>();
    let future = ManuallyDrop::new(future);
    // SAFETY: the block was made for a cell of `F`. Of the two references, the loop's keeps the task
    // allocated in the list until it is finished, and the other is the handle's.
    unsafe {
        cell.write(TaskCell {
            header: Header::new(scheduler, id, table, state, 2, origin),
            stage: UnsafeCell::new(TaskStage { future }),
        });
        scheduler.task_list().push(cell.cast());
        TaskRef::from_counted(cell.cast(), scheduler.clone())
    }
}

impl<F: Future + 'static> TaskCell<F> {
    const TABLE: Table = Table {
        run: run::<F>,
        panicked: panicked::<F>,
        discard: discard_task,
        describe: describe_task,
        looks: false,
        type_name: type_name::<F>,
        end: end::<F>,
        output_at: offset_of!(Self, stage),
        drop_output: drop_output::<F>,
        block: BlockKind::of::<Self>(),
        free: |_| {},
    };
}

/// # Safety
///
/// The task is allocated, and is a cell of `F`.
unsafe fn stage<F: Future>(task: NonNull<Header>) -> *mut TaskStage<F> {
    // SAFETY: the pointer was made from the whole cell.
    unsafe { UnsafeCell::raw_get(&raw const (*task.cast::<TaskCell<F>>().as_ptr()).stage) }
}

/// The place of the future. It is there until the task is done, but for the end of [`finish`].
///
/// # Safety
///
/// As for [`stage`].
unsafe fn future<F: Future>(task: NonNull<Header>) -> *mut F {
    // SAFETY: as the caller promises. All fields of the union begin where it begins.
    unsafe { stage::<F>(task).cast() }
}

/// The place of the output. It is there while the state says that it is kept.
///
/// # Safety
///
/// As for [`stage`].
unsafe fn output<F: Future>(task: NonNull<Header>) -> *mut Result<F::Output, JoinError> {
    // SAFETY: as for `future`.
    unsafe { stage::<F>(task).cast() }
}

unsafe fn run<F: Future + 'static>(node: NonNull<Node>, scheduler: &Rc<Scheduler>) -> Ran {
    let task = node.cast::<Header>();
    scheduler.running().set(Some(task));
    // SAFETY: the loop's reference keeps the task allocated until one of these calls gives it up.
    // The table says that it is a cell of `F`. A task from the ready queue is not running already.
    // A panic of the future goes up to the loop, which then calls `panicked`.
    unsafe {
        match task.as_ref().node.state.begin() {
            Begin::Poll => match poll::<F>(task) {
                Poll::Pending => suspend(task, scheduler),
                Poll::Ready(output) => finish::<F>(task, scheduler, Some(Ok(output))),
            },
            Begin::Drop => finish::<F>(task, scheduler, None),
            Begin::Release => release_loops(task, scheduler),
        }
    }
    scheduler.running().set(None);
    Ran::Step
}

/// Polls a task that [`new_idle_task`] has just made from an `F`, without the ready queue.
pub(super) fn poll_first<F: Future + 'static>(task: &TaskRef) {
    let (scheduler, task) = (task.scheduler(), task.as_ptr());
    let before = scheduler.running().replace(Some(task));
    // SAFETY: the caller has just made the task from an `F`, so it is not running, and the loop has
    // its reference.
    unsafe {
        task.as_ref().node.state.begin_at_once();
        match catch_unwind(AssertUnwindSafe(|| poll::<F>(task))) {
            Ok(Poll::Pending) => suspend(task, scheduler),
            Ok(Poll::Ready(output)) => finish::<F>(task, scheduler, Some(Ok(output))),
            Err(payload) => panicked::<F>(task.cast(), scheduler, payload),
        }
    }
    scheduler.running().set(before);
}

/// Drops the future of a task that [`new_idle_task`] has just made from an `F`, without a poll.
pub(super) fn end_unpolled<F: Future + 'static>(task: &TaskRef) {
    // SAFETY: the caller has just made the task from an `F`, so it is in the list of unfinished
    // tasks and not running.
    unsafe { end::<F>(task.as_ptr().cast(), task.scheduler()) };
}

/// # Safety
///
/// The task is a cell of `F` in the state running, and the loop has a reference to it.
#[inline(always)]
unsafe fn poll<F: Future + 'static>(task: NonNull<Header>) -> Poll<F::Output> {
    // SAFETY: the task is not done, so the future stands in the cell, and it does not move until it is
    // dropped there. The state running keeps all other code from the stage. Only clones of the waker
    // can outlive the loop's reference, and clones count.
    unsafe {
        debug_assert!(!task.as_ref().node.state.is_done());
        let waker = waker::borrow(task);
        let future = Pin::new_unchecked(&mut *future::<F>(task));
        future.poll(&mut Context::from_waker(&waker))
    }
}

/// # Safety
///
/// The task was polled and is not ready; the loop has a reference to it.
#[inline(always)]
unsafe fn suspend(task: NonNull<Header>, scheduler: &Rc<Scheduler>) {
    // SAFETY: as the caller promises.
    unsafe {
        if task.as_ref().node.state.suspend() == Suspend::Enqueue {
            scheduler.enqueue(task.cast());
        }
    }
}

/// Ends a task whose future has panicked in its poll.
unsafe fn panicked<F: Future + 'static>(
    node: NonNull<Node>,
    scheduler: &Rc<Scheduler>,
    payload: Payload,
) {
    let task = node.cast::<Header>();
    // SAFETY: the table says that it is a cell of `F`. It was running, so it is not finished, and
    // the loop has its reference.
    unsafe {
        let error = JoinError::panicked(task.as_ref().name().into(), payload);
        finish::<F>(task, scheduler, Some(Err(error)));
    }
}

/// Drops the future and settles the output; `None` means that the task was cancelled.
///
/// # Safety
///
/// As for [`poll`]. The loop's reference is given up.
unsafe fn finish<F: Future + 'static>(
    task: NonNull<Header>,
    scheduler: &Rc<Scheduler>,
    result: Option<Result<F::Output, JoinError>>,
) {
    // SAFETY: the loop's reference keeps the task allocated until the last line. The task is not done,
    // so the future is there. No other code uses the stage before the state says done, and then none
    // uses the future: it is dropped once. One whose destructor panics is gone all the same. The state
    // says that the output is kept if the task is watched, and it is written before any other code runs.
    unsafe {
        let header = task.as_ref();
        if needs_drop::<F>() {
            scheduler.contain_drop_of(header, || ptr::drop_in_place(future::<F>(task)));
        }
        let result = result.unwrap_or_else(|| Err(JoinError::cancelled(header.name().into())));
        let Complete {
            watched,
            awaited,
            queued,
        } = header.node.state.complete();
        match watched {
            true => output::<F>(task).write(result),
            false => settle::<F>(header, scheduler, result),
        }
        if awaited {
            announce(task, scheduler);
        }
        scheduler.forget(task);
        if !queued {
            release_loops(task, scheduler);
        }
    }
}

/// Drops the output of a task without a handle that could await it, after reporting a failure.
fn settle<F: Future + 'static>(
    header: &Header,
    scheduler: &Rc<Scheduler>,
    result: Result<F::Output, JoinError>,
) {
    match result {
        Ok(output) => scheduler.contain_drop_of(header, || {
            scheduler.report_failure(header, &output as &dyn Any);
            drop(output);
        }),
        Err(error) => scheduler.report_join_error(header, error),
    }
}

/// Wakes the joiner of a task that is done, and queues its callbacks.
///
/// # Safety
///
/// The loop has a reference to the task, and this is the owner's thread.
unsafe fn announce(task: NonNull<Header>, scheduler: &Rc<Scheduler>) {
    // SAFETY: as the caller promises.
    unsafe {
        if let Some(joiner) = task.as_ref().joiner.take() {
            scheduler.wake(joiner);
        }
        if task.as_ref().extra.is_used() {
            call_back(task, scheduler);
        }
    }
}

/// Queues the callbacks of a task that is done.
///
/// # Safety
///
/// As for [`announce`].
#[cold]
unsafe fn call_back(task: NonNull<Header>, scheduler: &Rc<Scheduler>) {
    // SAFETY: as the caller promises.
    let header = unsafe { task.as_ref() };
    for callback in header.extra.take_callbacks().unwrap_or_default() {
        // SAFETY: as the caller promises.
        let handle = TaskHandle::new(unsafe { TaskRef::new(task, scheduler.clone()) });
        scheduler
            .call_soon(header.origin, move || callback(handle))
            .forget();
    }
}

unsafe fn end<F: Future + 'static>(node: NonNull<Node>, scheduler: &Rc<Scheduler>) {
    let task = node.cast::<Header>();
    let before = scheduler.running().replace(Some(task));
    // SAFETY: the task is in the list of unfinished tasks, so the loop has its reference, and it is
    // not running: the caller has just made it, or closes the loop, while which no task runs.
    unsafe {
        task.as_ref().node.state.begin_end();
        finish::<F>(task, scheduler, None);
    }
    scheduler.running().set(before);
}

pub(super) unsafe fn discard_task(node: NonNull<Node>, scheduler: &Rc<Scheduler>) {
    let task = node.cast::<Header>();
    // SAFETY: the loop ends all tasks before it discards the queued nodes, so this task is done, and
    // its place in the queue stands for the loop's reference.
    unsafe {
        if task.as_ref().node.state.begin() == Begin::Release {
            release_loops(task, scheduler);
        }
    }
}

pub(super) unsafe fn describe_task(node: NonNull<Node>) -> (Option<u64>, Origin) {
    // SAFETY: the caller has a reference to the task.
    let header = unsafe { node.cast::<Header>().as_ref() };
    (Some(header.id), header.origin)
}

unsafe fn drop_output<F: Future + 'static>(node: NonNull<Node>, scheduler: &Rc<Scheduler>) {
    let task = node.cast::<Header>();
    // SAFETY: the state has said until now that the output is kept, so it is moved out once. The
    // caller's reference keeps the task allocated.
    unsafe { settle::<F>(task.as_ref(), scheduler, output::<F>(task).read()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_task_fits_two_cache_lines() {
        fn size_of_task<F: Future>(_: &F) -> usize {
            size_of::<TaskCell<F>>()
        }
        let number = 7_u64;
        let word_of_the_allocator = size_of::<usize>();
        assert!(size_of_task(&async move { number }) + word_of_the_allocator <= 128);
    }
}
