//! The memory of a task: one allocation, reached through counted pointers.
#![expect(
    unsafe_code,
    reason = "a task erases its future's type and outlives it in pieces"
)]

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering, fence};
use std::task::{Context, Poll, Waker};

use super::inbox::Inbox;
use super::join::TaskHandle;
use super::owner::Owner;
use super::queue::{Links, Node, Origin, Ran, Table};
use super::state::{Begin, Complete, State, Suspend};
use super::{current, waker};
use crate::error::JoinError;

/// In `remote`: the owner has added its local count. References count in steps of [`ONE`].
const MERGED: isize = 1;
const ONE: isize = 2;

#[repr(C)]
pub(super) struct Header {
    pub(super) node: Node,
    inbox: NonNull<Inbox>,
    remote: AtomicIsize,
    pub(super) in_inbox: AtomicBool,
    pub(super) joiner: Cell<Option<Waker>>,
    pub(super) links: Links,
    pub(super) id: u64,
    pub(super) origin: Origin,
    extra: Cell<Option<Box<Extra>>>,
}

/// What few tasks have.
#[derive(Default)]
struct Extra {
    name: Option<Box<str>>,
    /// Emptied when the task is done, so that no other thread ever drops one.
    callbacks: Vec<Box<dyn FnOnce(TaskHandle)>>,
}

#[repr(C)]
struct TaskCell<F: Future> {
    header: Header,
    stage: UnsafeCell<Stage<F>>,
}

enum Stage<F: Future> {
    Future(F),
    Output(Result<F::Output, JoinError>),
    Empty,
}

impl Header {
    fn new(
        owner: &Rc<Owner>,
        table: &'static Table,
        state: State,
        local: u32,
        origin: Origin,
    ) -> Self {
        let inbox = Arc::into_raw(owner.inbox().clone()).cast_mut();
        Header {
            node: Node::new(table, state, local),
            // SAFETY: a pointer out of an `Arc` is not null.
            inbox: unsafe { NonNull::new_unchecked(inbox) },
            remote: AtomicIsize::new(0),
            in_inbox: AtomicBool::new(false),
            joiner: Cell::new(None),
            links: Links::default(),
            id: owner.next_id(),
            origin,
            extra: Cell::new(None),
        }
    }

    /// The loop's identity, and the way to it from other threads.
    pub(super) fn inbox(&self) -> &Inbox {
        // SAFETY: the header holds one count of the `Arc` until it is dropped.
        unsafe { self.inbox.as_ref() }
    }

    fn with_extra<T>(&self, f: impl FnOnce(&mut Extra) -> T) -> T {
        let mut extra = self.extra.take().unwrap_or_default();
        let value = f(&mut extra);
        self.extra.set(Some(extra));
        value
    }

    pub(super) fn name(&self) -> String {
        let extra = self.extra.take();
        let name = extra.as_ref().and_then(|extra| extra.name.as_deref());
        let name = name.map_or_else(|| format!("Task-{}", self.id), str::to_owned);
        self.extra.set(extra);
        name
    }

    pub(super) fn set_name(&self, name: Box<str>) {
        self.with_extra(|extra| extra.name = Some(name));
    }

    pub(super) fn add_callback(&self, callback: Box<dyn FnOnce(TaskHandle)>) {
        self.with_extra(|extra| extra.callbacks.push(callback));
    }

    fn take_callbacks(&self) -> Vec<Box<dyn FnOnce(TaskHandle)>> {
        match self.extra.take() {
            None => Vec::new(),
            Some(mut extra) => {
                let callbacks = std::mem::take(&mut extra.callbacks);
                self.extra.set(Some(extra));
                callbacks
            }
        }
    }
}

impl Drop for Header {
    fn drop(&mut self) {
        // SAFETY: gives back the count that `new` took, once.
        drop(unsafe { Arc::from_raw(self.inbox.as_ptr()) });
    }
}

/// A counted reference to a task, for the owner's thread only.
pub(super) struct TaskRef(NonNull<Header>);

impl TaskRef {
    /// # Safety
    ///
    /// The task is allocated, and this is its owner's thread.
    pub(super) unsafe fn retain_from(task: NonNull<Header>) -> Self {
        // SAFETY: as the caller promises.
        unsafe { retain(task) };
        TaskRef(task)
    }

    pub(super) fn as_ptr(&self) -> NonNull<Header> {
        self.0
    }

    pub(super) fn header(&self) -> &Header {
        // SAFETY: the reference is counted, so the task is allocated.
        unsafe { self.0.as_ref() }
    }

    /// Moves the output to `into`, if the task has one that was not taken yet.
    pub(super) fn take_output<T>(&self, into: &mut Option<Result<T, JoinError>>) {
        let take = self.header().node.table.take_output;
        // SAFETY: `Task<T>`, the only caller, is made with the future's own output type.
        unsafe { take(self.0.cast(), ptr::from_mut(into).cast()) };
    }

    pub(super) fn drop_output(&self, owner: &Rc<Owner>) {
        // SAFETY: the task is allocated, and this is its owner's thread.
        unsafe { (self.header().node.table.drop_output)(self.0.cast(), owner) };
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        // SAFETY: this reference keeps the task allocated; it is `!Send`, so this is the owner's
        // thread.
        unsafe { TaskRef::retain_from(self.0) }
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        // SAFETY: gives up the count that this reference stands for; `!Send`, as above.
        unsafe { release(self.0) };
    }
}

/// # Safety
///
/// The task is allocated, and this is its owner's thread.
#[inline]
pub(super) unsafe fn retain(task: NonNull<Header>) {
    // SAFETY: as the caller promises.
    let header = unsafe { task.as_ref() };
    if header.node.state.is_done() {
        header.remote.fetch_add(ONE, Ordering::Relaxed);
    } else {
        header.node.local.set(header.node.local.get() + 1);
    }
}

/// # Safety
///
/// The caller gives up a reference that it has, and this is the owner's thread.
#[inline]
pub(super) unsafe fn release(task: NonNull<Header>) {
    // SAFETY: the caller's reference keeps the task allocated.
    let header = unsafe { task.as_ref() };
    if header.node.state.is_done() {
        // SAFETY: as the caller promises.
        unsafe { release_remote(task) };
    } else {
        // The loop's own reference is among these, so it does not come to zero here. It may wrap
        // below it when more wakers are dropped here than were cloned here; only the sum counts.
        header
            .node
            .local
            .set(header.node.local.get().wrapping_sub(1));
    }
}

/// # Safety
///
/// The task is allocated.
pub(super) unsafe fn retain_remote(task: NonNull<Header>) {
    // SAFETY: as the caller promises.
    unsafe { task.as_ref() }
        .remote
        .fetch_add(ONE, Ordering::Relaxed);
}

/// # Safety
///
/// The caller gives up a reference that it has.
pub(super) unsafe fn release_remote(task: NonNull<Header>) {
    // SAFETY: the caller's reference keeps the task allocated until it is given up here. Whoever
    // brings the merged count to zero is the last, and sees what all others did before.
    unsafe {
        let before = task.as_ref().remote.fetch_sub(ONE, Ordering::Release);
        if before - ONE == MERGED {
            fence(Ordering::Acquire);
            free(task);
        }
    }
}

/// Gives up the loop's reference to a finished task: from here on every count is atomic.
///
/// # Safety
///
/// The task is done, the loop has this reference, and this is the owner's thread.
unsafe fn release_loops(task: NonNull<Header>) {
    // SAFETY: the loop's reference keeps the task allocated until the counts are merged. When both
    // are zero then, nobody else has a reference from which to make another.
    unsafe {
        let header = task.as_ref();
        let local = header.node.local.get().wrapping_sub(1) as i32 as isize;
        if local == 0 && header.remote.load(Ordering::Acquire) == 0 {
            return free(task);
        }
        let share = local * ONE + MERGED;
        if header.remote.fetch_add(share, Ordering::AcqRel) + share == MERGED {
            free(task);
        }
    }
}

/// # Safety
///
/// No reference is left.
unsafe fn free(task: NonNull<Header>) {
    // SAFETY: the table was made for this very cell.
    unsafe { (task.as_ref().node.table.free)(task.cast()) }
}

/// Allocates a task that is not in any list yet. It has two references: the loop's, the handle's.
pub(super) fn new_task<F>(owner: &Rc<Owner>, state: State, future: F, origin: Origin) -> TaskRef
where
    F: Future + 'static,
{
    let header = Header::new(owner, &TaskCell::<F>::TABLE, state, 2, origin);
    header.node.state.watch();
    let cell = Box::new(TaskCell {
        header,
        stage: UnsafeCell::new(Stage::Future(future)),
    });
    TaskRef(NonNull::from(Box::leak(cell)).cast())
}

impl<F: Future + 'static> TaskCell<F> {
    const TABLE: Table = Table {
        run: run::<F>,
        discard: discard_task,
        describe: describe_task,
        end: end::<F>,
        take_output: take_output::<F>,
        drop_output: drop_output::<F>,
        free: free_cell::<F>,
    };
}

/// # Safety
///
/// The task is allocated, and is a cell of `F`.
unsafe fn stage<F: Future>(task: NonNull<Header>) -> *mut Stage<F> {
    // SAFETY: the pointer was made from the whole cell.
    unsafe { UnsafeCell::raw_get(&raw const (*task.cast::<TaskCell<F>>().as_ptr()).stage) }
}

unsafe fn run<F: Future + 'static>(node: NonNull<Node>, owner: &Rc<Owner>) -> Ran {
    let task = node.cast::<Header>();
    // SAFETY: the loop's reference keeps the task allocated until one of these gives it up; the
    // table says that it is a cell of `F`; what is taken from the ready queue is nowhere running.
    unsafe {
        match task.as_ref().node.state.begin() {
            Begin::Poll => poll::<F>(task, owner, false),
            Begin::PollOnce => poll::<F>(task, owner, true),
            Begin::Drop => finish::<F>(task, owner, None),
            Begin::Release => release_loops(task),
        }
    }
    Ran::Step
}

/// Polls a new task here and now, before the loop has seen it.
pub(super) fn poll_first<F: Future + 'static>(task: &TaskRef, owner: &Rc<Owner>) {
    task.header().node.state.begin_at_once();
    // SAFETY: the caller has just made the task from an `F`, so nobody runs it.
    unsafe { poll::<F>(task.as_ptr(), owner, false) };
}

/// # Safety
///
/// The task is a cell of `F` in the state running, and the loop has a reference to it.
unsafe fn poll<F: Future + 'static>(task: NonNull<Header>, owner: &Rc<Owner>, last: bool) {
    let running = current::enter_task(task);
    // SAFETY: the future stands in the cell and does not move until it is dropped there; the state
    // running keeps everybody else from the stage; the waker does not outlive the loop's reference
    // but by clones, which count.
    let polled = unsafe {
        let waker = waker::borrow(task);
        let stage = stage::<F>(task);
        catch_unwind(AssertUnwindSafe(|| match &mut *stage {
            Stage::Future(future) => {
                Pin::new_unchecked(future).poll(&mut Context::from_waker(&waker))
            }
            _ => unreachable!("a task without its future was polled"),
        }))
    };
    // SAFETY: as above; `finish` gives up the loop's reference, and nothing follows it.
    unsafe {
        match polled {
            Ok(Poll::Pending) if !last => {
                if task.as_ref().node.state.suspend() == Suspend::Enqueue {
                    owner.enqueue(task.cast());
                }
            }
            Ok(Poll::Pending) => finish::<F>(task, owner, None),
            Ok(Poll::Ready(output)) => finish::<F>(task, owner, Some(Ok(output))),
            Err(payload) => {
                let error = JoinError::panicked(task.as_ref().id, payload);
                finish::<F>(task, owner, Some(Err(error)));
            }
        }
    }
    drop(running);
}

/// Drops the future and settles the output; `None` means that the task was cancelled.
///
/// # Safety
///
/// As for [`poll`]. The loop's reference is given up.
unsafe fn finish<F: Future + 'static>(
    task: NonNull<Header>,
    owner: &Rc<Owner>,
    result: Option<Result<F::Output, JoinError>>,
) {
    // SAFETY: the loop's reference keeps the task allocated until the last line. Nobody else uses
    // the stage before the state says done; a future that panics as it is dropped is gone all the
    // same, so the stage is overwritten without dropping it again.
    unsafe {
        let header = task.as_ref();
        let stage = stage::<F>(task);
        let running = current::enter_task(task);
        owner.contain_drop_of(header, || ptr::drop_in_place(stage));
        drop(running);
        ptr::write(stage, Stage::Empty);
        let result = result.unwrap_or_else(|| Err(JoinError::cancelled(header.id)));
        let Complete { watched, queued } = header.node.state.complete();
        match watched {
            true => ptr::write(stage, Stage::Output(result)),
            false => settle::<F>(header, owner, result),
        }
        announce(task, owner);
        owner.forget(task);
        if !queued {
            release_loops(task);
        }
    }
}

/// An output that nobody waits for: report it if it is a failure, and drop it.
fn settle<F: Future + 'static>(
    header: &Header,
    owner: &Rc<Owner>,
    result: Result<F::Output, JoinError>,
) {
    match result {
        Ok(output) => {
            owner.report_failure(header, &output as &dyn Any);
            owner.contain_drop_of(header, || drop(output));
        }
        Err(error) => owner.report_join_error(header, error),
    }
}

/// Tells those who wait that the task is done.
///
/// # Safety
///
/// The loop has a reference to the task, and this is the owner's thread.
unsafe fn announce(task: NonNull<Header>, owner: &Rc<Owner>) {
    // SAFETY: as the caller promises.
    let header = unsafe { task.as_ref() };
    if let Some(joiner) = header.joiner.take() {
        owner.wake(joiner);
    }
    for callback in header.take_callbacks() {
        // SAFETY: as the caller promises.
        let task = unsafe { TaskRef::retain_from(task) };
        let handle = TaskHandle::new(task, owner.clone());
        owner
            .call_soon(header.origin, move || callback(handle))
            .forget();
    }
}

unsafe fn end<F: Future + 'static>(node: NonNull<Node>, owner: &Rc<Owner>) {
    let task = node.cast::<Header>();
    // SAFETY: the caller took the task from the list of unfinished tasks, to which the loop's
    // reference belongs, and no task is running while the loop closes.
    unsafe {
        task.as_ref().node.state.begin_end();
        finish::<F>(task, owner, None);
    }
}

unsafe fn discard_task(node: NonNull<Node>, _: &Rc<Owner>) {
    let task = node.cast::<Header>();
    // SAFETY: the loop closes the tasks before it discards what is queued, so this one is done, and
    // its place in the queue stands for the loop's reference.
    unsafe {
        if task.as_ref().node.state.begin() == Begin::Release {
            release_loops(task);
        }
    }
}

unsafe fn describe_task(node: NonNull<Node>) -> (Option<String>, Origin) {
    // SAFETY: the caller has a reference to the task.
    let header = unsafe { node.cast::<Header>().as_ref() };
    (Some(header.name()), header.origin)
}

unsafe fn take_output<F: Future>(node: NonNull<Node>, into: *mut ()) {
    let task = node.cast::<Header>();
    // SAFETY: the state done hands the stage over to the one who waits, on the owner's thread;
    // `into` points to an `Option` of the output's type.
    unsafe {
        let stage = stage::<F>(task);
        if task.as_ref().node.state.is_done() && matches!(*stage, Stage::Output(_)) {
            let Stage::Output(result) = ptr::replace(stage, Stage::Empty) else {
                unreachable!()
            };
            *into.cast::<Option<Result<F::Output, JoinError>>>() = Some(result);
        }
    }
}

unsafe fn drop_output<F: Future + 'static>(node: NonNull<Node>, owner: &Rc<Owner>) {
    let mut output = None;
    // SAFETY: as for `take_output`, and the type is `F`'s own.
    unsafe {
        take_output::<F>(node, (&raw mut output).cast());
        if let Some(result) = output {
            settle::<F>(node.cast::<Header>().as_ref(), owner, result);
        }
    }
}

unsafe fn free_cell<F: Future>(node: NonNull<Node>) {
    // SAFETY: the cell was leaked from a box of this type, and no reference is left. Its stage is
    // empty by now, or holds the output of a handle that was forgotten, which then still counts.
    drop(unsafe { Box::from_raw(node.cast::<TaskCell<F>>().as_ptr()) });
}

/// Allocates the stand-in for a main future, which itself stays with its caller.
pub(super) fn new_main(owner: &Rc<Owner>, origin: Origin) -> TaskRef {
    static TABLE: Table = Table {
        run: run_main,
        discard: discard_task,
        describe: describe_task,
        end: |_, _| {},
        take_output: |_, _| {},
        drop_output: |_, _| {},
        free: free_main,
    };
    let header = Header::new(owner, &TABLE, State::main(), 2, origin);
    TaskRef(NonNull::from(Box::leak(Box::new(header))))
}

unsafe fn run_main(node: NonNull<Node>, _: &Rc<Owner>) -> Ran {
    let task = node.cast::<Header>();
    // SAFETY: the loop's reference keeps it allocated until it is given up here.
    unsafe {
        if task.as_ref().node.state.begin() == Begin::Release {
            release_loops(task);
            return Ran::Step;
        }
    }
    Ran::Main
}

/// The main future has gone: nothing will be done any more when its wakers are woken.
pub(super) fn end_main(task: &TaskRef) {
    let done = task.header().node.state.complete();
    if !done.queued {
        // SAFETY: the loop's reference, made by `new_main`, is given up once: here or, if it stands
        // in the queue, when it is taken from there.
        unsafe { release_loops(task.as_ptr()) };
    }
}

unsafe fn free_main(node: NonNull<Node>) {
    // SAFETY: leaked from a box in `new_main`, and no reference is left.
    drop(unsafe { Box::from_raw(node.cast::<Header>().as_ptr()) });
}
