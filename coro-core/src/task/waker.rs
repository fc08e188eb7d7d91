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

/// The bytes that the processor loads at once, and how often that is done for a task: for its header
/// and a small future.
#[cfg(all(target_arch = "x86_64", not(miri)))]
const LINE: usize = 64;
#[cfg(all(target_arch = "x86_64", not(miri)))]
const PREFETCHED: usize = 4;

/// A waker that borrows a reference to its task instead of counting one of its own.
pub(super) struct Borrowed<'a>(ManuallyDrop<Waker>, PhantomData<&'a ()>);

impl Deref for Borrowed<'_> {
    type Target = Waker;

    fn deref(&self) -> &Waker {
        &self.0
    }
}

/// Whether a waker is that of a task, of this loop or another. If so, neither cloning it nor waking
/// it runs foreign code.
#[inline]
pub(crate) fn is_of_a_task(waker: &Waker) -> bool {
    std::ptr::eq(waker.vtable(), &TABLE)
}

/// Has the processor load the memory of the task that a waker wakes, and go on meanwhile.
#[inline]
pub(crate) fn prefetch(waker: &Waker) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for line in 0..PREFETCHED {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let at = waker.data().cast::<i8>().wrapping_add(line * LINE);
        // SAFETY: it only fills the cache: no value is read, and no address is wrong.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at) };
    }
    let _ = waker; // elsewhere there is no such function in stable Rust
}

/// A waker that lives no longer than the reference that it borrows.
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
    // SAFETY: the table keeps the contract of `RawWaker` for a pointer to a counted header. The
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

/// The scheduler of the task, if this thread is inside of its loop.
#[inline]
fn scheduler_here<'a>(task: NonNull<Header>) -> Option<&'a Scheduler> {
    // SAFETY: a waker's reference keeps the task allocated.
    let inbox = unsafe { task.as_ref() }.inbox();
    // SAFETY: the current scheduler stays current, and alive, until its `Entered` guard is dropped,
    // which cannot happen within the operation on a waker that this serves.
    current::scheduler_of(inbox).map(|scheduler| unsafe { &*scheduler })
}

#[inline]
unsafe fn clone(data: *const ()) -> RawWaker {
    let task = header_of(data);
    // SAFETY: the waker that is cloned has a reference; plain cells are used on the owner's thread
    // alone.
    unsafe {
        match scheduler_here(task) {
            Some(_) => count::retain_waker(task),
            None => count::retain_remote(task),
        }
    }
    RawWaker::new(data, &TABLE)
}

#[inline]
unsafe fn wake(data: *const ()) {
    let task = header_of(data);
    // SAFETY: the task is woken, and then the waker's reference is given up, as when it is dropped;
    // plain cells are used on the owner's thread alone.
    unsafe {
        match scheduler_here(task) {
            Some(scheduler) => {
                wake_here(task, scheduler);
                count::release_waker(task);
            }
            None => {
                wake_remotely(task);
                count::release_remote(task);
            }
        }
    }
}

#[inline]
unsafe fn wake_by_ref(data: *const ()) {
    let task = header_of(data);
    match scheduler_here(task) {
        Some(scheduler) => wake_here(task, scheduler),
        None => wake_remotely(task),
    }
}

/// Wakes a task on its owner's thread.
#[inline]
pub(super) fn wake_here(task: NonNull<Header>, scheduler: &Scheduler) {
    // SAFETY: the caller has a reference to the task. If the task is to be queued, it is not done, so
    // the loop's reference keeps it allocated until it is popped.
    unsafe {
        if task.as_ref().node.state.wake() == Wake::Enqueue {
            scheduler.enqueue(task.cast());
        }
    }
}

/// Cancels a task, on its owner's thread. Gives `false` if it is done or was cancelled before.
pub(super) fn cancel_here(task: &TaskRef) -> bool {
    let asked = task.header().node.state.cancel();
    if asked == Some(Wake::Enqueue) {
        // SAFETY: as in `wake_here`.
        unsafe { task.scheduler().enqueue(task.as_ptr().cast()) };
    }
    asked.is_some()
}

/// Puts the stand-in of a main future back in the ready queue, as its state has asked.
pub(super) fn requeue(task: &TaskRef) {
    // SAFETY: it was woken while it ran, so it is not in the queue. The loop's reference keeps it
    // allocated until it is popped.
    unsafe { task.scheduler().enqueue(task.as_ptr().cast()) };
}

/// A reference to the task that this scheduler's loop is polling.
pub(super) fn running(scheduler: &Rc<Scheduler>) -> Option<TaskRef> {
    let task = scheduler.running().get()?;
    // SAFETY: a task that is being polled or dropped is allocated, and the loop has its reference.
    Some(unsafe { TaskRef::new(task, scheduler.clone()) })
}

impl RemoteWake {
    /// Wakes the task, on its owner's thread.
    pub(super) fn deliver(self, scheduler: &Scheduler) {
        let task = self.task();
        // SAFETY: the message's reference keeps the task allocated.
        let header = unsafe { task.as_ref() };
        // A swap, not a store. A thread that found the mark still set leaves its wake-up to this
        // one, so the poll that follows has to see what that thread wrote before. A thread that
        // comes later has to see the mark gone before the poll begins.
        header.node.in_inbox.swap(false, Ordering::AcqRel);
        wake_here(task, scheduler);
    }
}

/// Wakes a task from outside of its loop, through the inbox.
#[cold]
fn wake_remotely(task: NonNull<Header>) {
    // SAFETY: the waker's reference keeps the task allocated.
    let header = unsafe { task.as_ref() };
    if header.node.state.is_done() || header.node.in_inbox.swap(true, Ordering::AcqRel) {
        return;
    }
    // SAFETY: as above. The message in the inbox has a reference of its own, which `RemoteWake`
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
        match scheduler_here(task) {
            Some(_) => count::release_waker(task),
            None => count::release_remote(task),
        }
    }
}
