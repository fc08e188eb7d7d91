//! The counts of a task: references of the owner's thread in cells, all others in an atomic.
#![expect(
    unsafe_code,
    reason = "giving up the last reference to a task frees its memory"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::rc::Rc;

use super::block::{self, BlockKind};
use super::cell::Header;
use super::id::TaskId;
use super::queue::too_many;
use super::scheduler::Scheduler;
use super::state::TaskPhase;
use crate::error::JoinError;
use crate::primitives::{Arc, Ordering, fence};

/// The bit of `remote` that says that the owner's counts were added to it. References count in steps
/// of [`ONE`].
pub(super) const MERGED: isize = 1;
const ONE: isize = 2;

/// A clone aborts the process when the count is beyond this. Other threads may count on until they
/// see it; their references, and those of the owner's thread, fit in the rest of an `isize`.
pub(super) const MOST_REMOTE: isize = isize::MAX / 2;
pub(super) const MOST_WAKERS: i32 = i32::MAX / 4;

/// A counted reference to a task, for the owner's thread only.
pub(super) struct TaskRef {
    task: NonNull<Header>,
    scheduler: Rc<Scheduler>,
}

impl TaskRef {
    /// # Safety
    ///
    /// The task is the scheduler's and allocated, and the caller hands over one handle's reference.
    #[inline]
    pub(super) unsafe fn from_counted(task: NonNull<Header>, scheduler: Rc<Scheduler>) -> Self {
        TaskRef { task, scheduler }
    }

    /// # Safety
    ///
    /// The task is the scheduler's, has not been freed, and is unfinished or has other handles.
    #[inline]
    pub(super) unsafe fn new(task: NonNull<Header>, scheduler: Rc<Scheduler>) -> Self {
        // SAFETY: as the caller promises.
        unsafe { task.as_ref() }.node.add_handle();
        TaskRef { task, scheduler }
    }

    #[inline]
    pub(super) fn as_ptr(&self) -> NonNull<Header> {
        self.task
    }

    #[inline]
    pub(super) fn scheduler(&self) -> &Rc<Scheduler> {
        &self.scheduler
    }

    #[inline]
    pub(super) fn header(&self) -> &Header {
        // SAFETY: the reference is counted, so the task is allocated.
        unsafe { self.task.as_ref() }
    }

    /// How many wakers of the task there are.
    pub(super) fn wakers(&self) -> usize {
        let header = self.header();
        let remote = header.remote.load(Ordering::Relaxed) / ONE;
        usize::try_from(header.wakers.get() as isize + remote).unwrap_or(0)
    }

    /// Polls the task, which is idle, so in no queue.
    #[cold]
    pub(super) fn run_idle(&self) {
        let run = || {
            // SAFETY: the reference keeps the task allocated, and its table is its own. It is not
            // queued, running or done, as the caller has asked.
            let _ = unsafe { (self.header().node.table.run)(self.task.cast(), &self.scheduler) };
        };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
            self.scheduler.end_panicked(payload);
        }
    }

    /// The output, if the task has one that was not taken yet.
    #[inline]
    pub(super) fn take_output<T>(&self) -> Option<Result<T, JoinError>> {
        let node = &self.header().node;
        if !node.state.has_output() {
            return None;
        }
        node.state.unwatch();
        let at = node.table.output_at;
        // SAFETY: `Task<T>`, the only caller, is made with the future's own output type. The state said
        // that the output is kept, at that place of the cell; from now on it says that it is not, so
        // the output is moved out once.
        Some(unsafe { self.task.byte_add(at).cast().read() })
    }

    /// Drops an output that was not taken, after reporting it if it is a failure.
    pub(super) fn drop_output(&self) {
        let node = &self.header().node;
        if node.state.has_output() {
            node.state.unwatch();
            // SAFETY: as in `take_output`; and this is the owner's thread.
            unsafe { (node.table.drop_output)(self.task.cast(), &self.scheduler) };
        }
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        // SAFETY: this reference keeps the task allocated.
        unsafe { TaskRef::new(self.task, self.scheduler.clone()) }
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: gives up the reference that this stands for. It is `!Send`, as is the scheduler,
        // so this is the owner's thread. If this was the last handle, the loop's reference is gone
        // too, so the task is done; unless its counts were merged, there is no waker either.
        unsafe {
            let header = self.task.as_ref();
            let left = header.node.handles.get() - 1;
            header.node.handles.set(left);
            if left == 0 {
                match header.remote.load(Ordering::Relaxed) & MERGED {
                    0 => free(self.task, Some(&self.scheduler)),
                    _ => release_remote(self.task),
                }
            }
        }
    }
}

/// The tasks that wait without a waker.
pub(crate) struct LostWakers {
    pub(crate) tasks: Vec<TaskId>,
    /// How many tasks were looked at.
    pub(crate) looked_at: usize,
}

impl Scheduler {
    /// The tasks that wait though no waker of them exists.
    pub(crate) fn tasks_without_waker(self: &Rc<Self>) -> LostWakers {
        let mut lost = LostWakers {
            tasks: Vec::new(),
            looked_at: 0,
        };
        self.for_each_task(|task| {
            lost.looked_at += 1;
            let phase = task.header().node.state.snapshot().phase;
            if phase == TaskPhase::Idle && task.wakers() == 0 {
                lost.tasks.push(TaskId(task.header().id));
            }
        });
        lost
    }

    /// Calls `f` with a reference to each unfinished task, in the order in which they were spawned.
    /// It must neither spawn a task nor end one.
    pub(super) fn for_each_task(self: &Rc<Self>, mut f: impl FnMut(TaskRef)) {
        self.task_list().for_each(|task| {
            // SAFETY: a task in the list is allocated and unfinished, and the scheduler's.
            f(unsafe { TaskRef::new(task, self.clone()) });
        });
    }

    /// Takes a finished task out of the list of unfinished tasks.
    #[inline]
    pub(super) fn forget(&self, task: NonNull<Header>) {
        // SAFETY: every task is in its scheduler's list from when it was spawned until here.
        unsafe { self.task_list().remove(task) };
    }
}

/// Gives up the loop's reference to a finished task.
///
/// If no waker remains anywhere, only handles can remain, which never leave this thread: they stay
/// counted in their cell. Otherwise all counts become atomic, the handles together as one.
///
/// # Safety
///
/// The task is done, the loop has this reference, and this is the owner's thread.
#[inline]
pub(super) unsafe fn release_loops(task: NonNull<Header>, scheduler: &Scheduler) {
    // SAFETY: the loop's reference keeps the task allocated until the counts are merged. If both
    // counts of wakers are zero, there is no waker from which another could be cloned. The inbox
    // lives as long as the scheduler; from the increment on, the task itself keeps it alive.
    unsafe {
        let header = task.as_ref();
        let handles = header.node.handles.get() - 1;
        header.node.handles.set(handles);
        let wakers = header.wakers.get() as isize;
        if wakers == 0 && header.remote.load(Ordering::Acquire) == 0 {
            if handles == 0 {
                free(task, Some(scheduler));
            }
            return;
        }
        Arc::increment_strong_count(header.inbox.as_ptr());
        let share = wakers * ONE + MERGED + if handles > 0 { ONE } else { 0 };
        if header.remote.fetch_add(share, Ordering::AcqRel) + share == MERGED {
            free(task, Some(scheduler));
        }
    }
}

/// Counts a waker that was cloned on the owner's thread, inside its loop.
///
/// # Safety
///
/// The task is allocated, and this is its owner's thread.
#[inline]
pub(super) unsafe fn retain_waker(task: NonNull<Header>) {
    // SAFETY: as the caller promises.
    unsafe {
        let header = task.as_ref();
        match header.node.state.is_done() {
            true => retain_remote(task),
            false if header.wakers.get() >= MOST_WAKERS => too_many(),
            false => header.wakers.set(header.wakers.get() + 1),
        }
    }
}

/// Counts off a waker that is dropped on the owner's thread, inside its loop.
///
/// # Safety
///
/// The caller gives up a waker's reference, and this is the owner's thread.
#[inline]
pub(super) unsafe fn release_waker(task: NonNull<Header>) {
    // SAFETY: the waker's reference keeps the task allocated; while the task is unfinished, so does
    // the loop's. The cell goes below zero if more wakers are dropped here than were cloned here.
    unsafe {
        let header = task.as_ref();
        match header.node.state.is_done() {
            true => release_remote(task),
            false => match header.wakers.get().checked_sub(1) {
                Some(wakers) => header.wakers.set(wakers),
                None => too_many(),
            },
        }
    }
}

/// # Safety
///
/// The task is allocated.
#[inline]
pub(super) unsafe fn retain_remote(task: NonNull<Header>) {
    // SAFETY: as the caller promises.
    let before = unsafe { task.as_ref() }
        .remote
        .fetch_add(ONE, Ordering::Relaxed);
    if before > MOST_REMOTE {
        too_many();
    }
}

/// # Safety
///
/// The caller gives up a reference that the atomic count includes, or will include once the counts
/// are merged.
#[inline]
pub(super) unsafe fn release_remote(task: NonNull<Header>) {
    // SAFETY: the caller's reference keeps the task allocated until it is given up here. The thread
    // that brings the merged count to zero has the last reference, and the fence shows it the writes
    // of all other threads.
    unsafe {
        if task.as_ref().remote.fetch_sub(ONE, Ordering::Release) - ONE == MERGED {
            fence(Ordering::Acquire);
            free(task, None);
        }
    }
}

/// Frees the memory of a task: to the scheduler's blocks on its thread, to the allocator without one.
///
/// # Safety
///
/// No reference remains. A scheduler is given on its own thread only.
#[inline(never)] // it would take registers from the operations on wakers, of which few free a task
unsafe fn free(task: NonNull<Header>, scheduler: Option<&Scheduler>) {
    // SAFETY: as the caller promises. Dropping the header would do nothing.
    unsafe {
        debug_assert!(!task.as_ref().node.state.is_watched());
        match task.as_ref().is_bare() {
            true => free_block(task, task.as_ref().node.table.block, scheduler),
            false => free_all(task, scheduler),
        }
    }
}

/// As [`free`], for a task whose header has to be dropped.
#[cold]
#[inline(never)]
unsafe fn free_all(task: NonNull<Header>, scheduler: Option<&Scheduler>) {
    // SAFETY: as the caller promises. The header is dropped once, and not used afterwards.
    unsafe {
        let block = task.as_ref().node.table.block;
        task.drop_in_place();
        free_block(task, block, scheduler);
    }
}

/// # Safety
///
/// As for [`free`], and the header needs no dropping. The block is of this kind.
#[inline(always)]
unsafe fn free_block(task: NonNull<Header>, block: BlockKind, scheduler: Option<&Scheduler>) {
    // SAFETY: the cell was written into a block of the kind that its table names. It has neither a
    // future nor an output by now: a task is done before its loop gives up its reference, and the
    // handle for which an output is kept takes or drops it.
    unsafe {
        match scheduler {
            Some(scheduler) => scheduler.blocks().free(task.cast(), block),
            None => block::free_anywhere(task.cast(), block),
        }
    }
}
