//! Wakers of tasks: plain cells on the owner's thread, atomics elsewhere.
#![expect(
    unsafe_code,
    reason = "a waker is a counted pointer behind a table of functions"
)]

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::rc::Rc;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::cell::Header;
use super::count::{self, TaskRef};
use super::current;
use super::inbox::RemoteWake;
use super::scheduler::Scheduler;
use super::state::Wake;
use crate::primitives::Ordering;

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// A waker that borrows its task's reference instead of counting one of its own.
pub(super) struct Borrowed<'a>(ManuallyDrop<Waker>, PhantomData<&'a ()>);

impl Deref for Borrowed<'_> {
    type Target = Waker;

    fn deref(&self) -> &Waker {
        &self.0
    }
}

/// Whether a waker is one of these, of whatever loop; neither cloning it nor waking it then runs
/// foreign code.
#[inline]
pub(crate) fn is_of_a_task(waker: &Waker) -> bool {
    std::ptr::eq(waker.vtable(), &TABLE)
}

/// A waker that lives no longer than the reference it borrows.
#[inline]
pub(super) fn of(task: &TaskRef) -> Borrowed<'_> {
    // SAFETY: the reference keeps the task allocated for the lifetime that is returned.
    unsafe { borrow(task.as_ptr()) }
}

/// # Safety
///
/// The task stays allocated for as long as the waker lives.
#[inline]
pub(super) unsafe fn borrow<'a>(task: NonNull<Header>) -> Borrowed<'a> {
    let data = task.as_ptr().cast_const().cast();
    // SAFETY: the table keeps the contract of `RawWaker` for a pointer to a counted header; the
    // waker is never dropped, so it gives up no reference.
    Borrowed(
        ManuallyDrop::new(unsafe { Waker::new(data, &TABLE) }),
        PhantomData,
    )
}

#[inline]
fn header_of(data: *const ()) -> NonNull<Header> {
    // SAFETY: the data of every waker with this table came from a `NonNull`.
    unsafe { NonNull::new_unchecked(data.cast_mut().cast()) }
}

/// The owner of the task, if this is its thread and its loop is what runs on it.
#[inline]
fn owner_here<'a>(task: NonNull<Header>) -> Option<&'a Scheduler> {
    // SAFETY: a waker's reference keeps the task allocated.
    let inbox = unsafe { task.as_ref() }.inbox();
    // SAFETY: the owner that is current stays so, and alive, until its `Entered` guard is dropped,
    // which cannot happen within the operation on a waker that this serves.
    current::scheduler_of(inbox).map(|scheduler| unsafe { &*scheduler })
}

#[inline]
unsafe fn clone(data: *const ()) -> RawWaker {
    let task = header_of(data);
    // SAFETY: the waker that is cloned has a reference; plain cells are used on the owner's thread
    // alone.
    unsafe {
        match owner_here(task) {
            Some(_) => count::retain_waker(task),
            None => count::retain_remote(task),
        }
    }
    RawWaker::new(data, &TABLE)
}

#[inline]
unsafe fn wake(data: *const ()) {
    let task = header_of(data);
    // SAFETY: a waker is woken, and then its reference is given up, as when it is dropped; plain
    // cells are used on the owner's thread alone.
    unsafe {
        match owner_here(task) {
            Some(scheduler) => {
                wake_here(task, scheduler);
                count::release_waker(task);
            }
            None => {
                wake_from_elsewhere(task);
                count::release_remote(task);
            }
        }
    }
}

#[inline]
unsafe fn wake_by_ref(data: *const ()) {
    let task = header_of(data);
    match owner_here(task) {
        Some(scheduler) => wake_here(task, scheduler),
        None => wake_from_elsewhere(task),
    }
}

/// Wakes a task on its owner's thread.
#[inline]
pub(super) fn wake_here(task: NonNull<Header>, scheduler: &Scheduler) {
    // SAFETY: whoever wakes a task has a reference to it. One that is to be queued is not done, so
    // the loop's reference keeps it allocated until it is taken from the queue.
    unsafe {
        if task.as_ref().node.state.wake() == Wake::Enqueue {
            scheduler.enqueue(task.cast());
        }
    }
}

/// Asks for a task's end, on its owner's thread; `false` if it is done or was asked before.
pub(super) fn cancel_here(task: &TaskRef) -> bool {
    let asked = task.header().node.state.cancel();
    if asked == Some(Wake::Enqueue) {
        // SAFETY: as in `wake_here`.
        unsafe { task.scheduler().enqueue(task.as_ptr().cast()) };
    }
    asked.is_some()
}

/// Puts a main future's stand-in back in the queue, as its state has asked.
pub(super) fn requeue(task: &TaskRef) {
    // SAFETY: it was woken while it ran, so it is not in the queue; the loop's reference stays
    // until it is taken from there.
    unsafe { task.scheduler().enqueue(task.as_ptr().cast()) };
}

/// A reference to the task that is being polled on this thread, by this owner's loop.
pub(super) fn running(scheduler: &Rc<Scheduler>) -> Option<TaskRef> {
    let task = scheduler.running().get()?;
    // SAFETY: a task that is being polled or dropped is allocated, and the loop has its reference.
    Some(unsafe { TaskRef::new(task, scheduler.clone()) })
}

#[cold]
fn wake_from_elsewhere(task: NonNull<Header>) {
    // SAFETY: the waker's reference keeps the task allocated.
    let header = unsafe { task.as_ref() };
    if header.node.state.is_done() || header.in_inbox.swap(true, Ordering::AcqRel) {
        return;
    }
    // SAFETY: as above; the entry in the inbox has a reference of its own, which `RemoteWake`
    // gives up.
    let wake = unsafe {
        count::retain_remote(task);
        RemoteWake::new(task)
    };
    header.inbox().push_wake(wake);
}

#[inline]
unsafe fn drop_waker(data: *const ()) {
    let task = header_of(data);
    // SAFETY: the waker gives up its reference; plain cells are used on the owner's thread alone.
    unsafe {
        match owner_here(task) {
            Some(_) => count::release_waker(task),
            None => count::release_remote(task),
        }
    }
}
