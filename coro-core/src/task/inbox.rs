//! The inbox of a loop, through which other threads reach it, with coalesced wake-ups.
#![expect(
    unsafe_code,
    reason = "a task that another thread wakes is sent here as a counted pointer"
)]

use std::ptr::NonNull;
use std::thread::{self, ThreadId};

use super::cell::Header;
use super::count;
use crate::error::LoopClosed;
use crate::panics::unpoisoned;
use crate::primitives::{AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering, fence};
use crate::sys::WakeUp;

/// Its address is the identity of a loop: while a task can still compare with the address, the inbox
/// is alive, so no other loop has the same.
pub(crate) struct Inbox {
    messages: Mutex<Messages>,
    /// Whether there are messages that the loop has not taken.
    pending: AtomicBool,
    /// Whether the loop waits in its poller, or is about to.
    asleep: AtomicBool,
    /// Taken out when the loop is closed: wakers may outlive the loop, and must not keep its
    /// descriptor open.
    wake_up: Mutex<Option<std::sync::Arc<WakeUp>>>,
    /// How many remote handles there are; other threads may have them.
    handles: AtomicUsize,
    thread: ThreadId,
}

#[derive(Default)]
struct Messages {
    list: Vec<Message>,
    closed: bool,
}

pub(crate) enum Message {
    Wake(RemoteWake),
    Call(Box<dyn FnOnce() + Send>),
}

/// A counted reference to a task that another thread has woken.
pub(crate) struct RemoteWake(NonNull<Header>);

// SAFETY: any thread may count atomically; only the owner's thread does more, when it delivers it.
unsafe impl Send for RemoteWake {}

impl RemoteWake {
    /// # Safety
    ///
    /// The caller hands over one remote reference.
    pub(super) unsafe fn new(task: NonNull<Header>) -> Self {
        RemoteWake(task)
    }

    pub(super) fn task(&self) -> NonNull<Header> {
        self.0
    }
}

impl Drop for RemoteWake {
    fn drop(&mut self) {
        // SAFETY: gives up the reference that was handed over.
        unsafe { count::release_remote(self.0) };
    }
}

impl Inbox {
    pub(super) fn new(wake_up: WakeUp) -> Self {
        Inbox {
            messages: Mutex::new(Messages::default()),
            pending: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            wake_up: Mutex::new(Some(std::sync::Arc::new(wake_up))),
            handles: AtomicUsize::new(0),
            thread: thread::current().id(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Messages> {
        unpoisoned(self.messages.lock())
    }

    /// Whether the calling thread is the loop's own.
    pub(crate) fn is_on_this_thread(&self) -> bool {
        thread::current().id() == self.thread
    }

    /// Has the loop call `f` on its thread.
    pub(crate) fn push_call(&self, f: Box<dyn FnOnce() + Send>) -> Result<(), LoopClosed> {
        self.push(Message::Call(f)).map_err(|_refused| LoopClosed)
    }

    pub(super) fn push_wake(&self, wake: RemoteWake) {
        // Refused by a loop that is closed: its tasks are done, so there is no task to wake.
        drop(self.push(Message::Wake(wake)));
    }

    /// A refused message comes back, so that it is dropped outside of the lock.
    fn push(&self, message: Message) -> Result<(), Message> {
        {
            let mut messages = self.lock();
            if messages.closed {
                return Err(message);
            }
            messages.list.push(message);
        }
        self.pending.store(true, Ordering::Release);
        self.wake_loop();
        Ok(())
    }

    /// Ends the loop's sleep. Each sleep costs at most one write to the loop's descriptor.
    fn wake_loop(&self) {
        fence(Ordering::SeqCst); // with the one in `fall_asleep`
        if self.asleep.swap(false, Ordering::AcqRel) {
            // Not under the lock: if the process forked meanwhile, its child could never take it.
            let wake_up = self.lock_wake_up().clone();
            wake_up.iter().for_each(|wake_up| wake_up.wake());
        }
    }

    fn lock_wake_up(&self) -> MutexGuard<'_, Option<std::sync::Arc<WakeUp>>> {
        unpoisoned(self.wake_up.lock())
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Relaxed)
    }

    /// Announces that the loop will wait. Gives `false` if a message has come in meanwhile.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::Release);
        // One of the two fences comes first for all threads: either this load sees the message, or
        // its sender sees that the loop sleeps.
        fence(Ordering::SeqCst);
        let awake = self.pending.load(Ordering::Acquire);
        if awake {
            self.asleep.store(false, Ordering::Relaxed);
        }
        !awake
    }

    #[cfg(all(loom, test))]
    pub(super) fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::Acquire)
    }

    pub(crate) fn wake_up(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// Takes all messages, into a buffer that keeps its memory.
    pub(crate) fn take(&self, into: &mut Vec<Message>) {
        self.pending.store(false, Ordering::Release);
        std::mem::swap(&mut self.lock().list, into);
    }

    /// Refuses all further messages, and gives those that were not taken.
    ///
    /// From here on no message wakes the loop.
    pub(crate) fn close(&self) -> Vec<Message> {
        let wake_up = self.lock_wake_up().take();
        drop(wake_up);
        let mut messages = self.lock();
        messages.closed = true;
        std::mem::take(&mut messages.list)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(crate) fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn remove_handle(&self) {
        if self.handles.fetch_sub(1, Ordering::Release) == 1 {
            self.wake_loop(); // a virtual clock may jump from here on
        }
    }

    pub(crate) fn has_handles(&self) -> bool {
        self.handles.load(Ordering::Acquire) != 0
    }
}
