//! The scheduler: the part of a loop that its tasks and callouts need to know.
//!
//! It has the list of unfinished tasks, the ready queue and the inbox, and runs the ready queue's
//! first. `spawn` has how tasks and callouts come in, `reports` where their failures go.
#![expect(
    unsafe_code,
    reason = "the nodes of the lists are run and ended through raw pointers"
)]

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::panic::{Location, resume_unwind};
use std::ptr::NonNull;
use std::rc::Rc;
use std::time::Instant;

use super::block::Blocks;
use super::cell::Header;
use super::current;
use super::host::HostLife;
use super::inbox::{Inbox, Message};
use super::queue::{Node, Ran, ReadyQueue, TaskList};
use crate::panics::Payload;
use crate::primitives::Arc;
use crate::report::ErrorReport;
use crate::sys::WakeUp;

/// A buffer for messages that has grown beyond this length is freed after use.
const MESSAGES_KEPT: usize = 1024;

pub(super) type Reporter = Rc<dyn Fn(&ErrorReport)>;

pub(crate) struct Scheduler {
    inbox: Arc<Inbox>,
    ready: ReadyQueue,
    tasks: TaskList,
    /// The task that is being polled or dropped.
    running: Cell<Option<NonNull<Header>>>,
    blocks: Blocks,
    /// The exception handler, if the program has set one.
    pub(super) reporter: RefCell<Option<Reporter>>,
    last_id: Cell<u64>,
    /// An empty buffer for the messages of the inbox, which keeps its memory between turns.
    messages: Cell<Vec<Message>>,
    phase: Cell<LoopPhase>,
    debug: Cell<bool>,
    /// The tasks of simulated hosts, by their numbers.
    pub(super) hosts: RefCell<Vec<(u64, HostLife)>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LoopPhase {
    Open,
    Closing,
    Closed,
}

impl Scheduler {
    pub(crate) fn new(wake_up: WakeUp, debug: bool) -> Rc<Self> {
        Rc::new(Scheduler {
            inbox: Arc::new(Inbox::new(wake_up)),
            ready: ReadyQueue::default(),
            tasks: TaskList::default(),
            running: Cell::new(None),
            blocks: Blocks::new(),
            reporter: RefCell::new(None),
            last_id: Cell::new(0),
            messages: Cell::default(),
            phase: Cell::new(LoopPhase::Open),
            debug: Cell::new(debug),
            hosts: RefCell::default(),
        })
    }

    #[inline]
    pub(crate) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// The inbox as tasks keep it: by a pointer that can become an `Arc` again.
    #[inline]
    pub(super) fn inbox_ptr(&self) -> NonNull<Inbox> {
        // SAFETY: a pointer out of an `Arc` is not null.
        unsafe { NonNull::new_unchecked(Arc::as_ptr(&self.inbox).cast_mut()) }
    }

    #[inline]
    pub(super) fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    /// Frees some of the memory that a burst of tasks needed; gives whether there is more to free.
    #[inline]
    pub(crate) fn trim_memory(&self) -> bool {
        self.blocks.trim()
    }

    /// Whether this thread is inside of this scheduler's loop.
    pub(crate) fn is_current(&self) -> bool {
        current::scheduler_of(&self.inbox).is_some()
    }

    /// Calls `f` with the scheduler of the loop that this thread is inside of. The caller has made
    /// sure that there is one.
    #[inline]
    pub(crate) fn with_current<T>(f: impl FnOnce(&Rc<Scheduler>) -> T) -> T {
        let scheduler = current::scheduler();
        assert!(!scheduler.is_null(), "outside of all loops");
        // SAFETY: the current scheduler's pointer came from an `Rc`, which lives until its `Entered`
        // guard is dropped, and so longer than `f` runs. The one made here is never dropped.
        let scheduler = ManuallyDrop::new(unsafe { Rc::from_raw(scheduler) });
        f(&scheduler)
    }

    #[inline]
    pub(super) fn next_id(&self) -> u64 {
        self.last_id.set(self.last_id.get() + 1);
        self.last_id.get()
    }

    /// The number of the task that was made last.
    pub(crate) fn last_id(&self) -> u64 {
        self.last_id.get()
    }

    pub(super) fn ready(&self) -> &ReadyQueue {
        &self.ready
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.phase.get() == LoopPhase::Closed
    }

    /// Whether the loop takes new work. It takes none while it closes.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.phase.get() == LoopPhase::Open
    }

    pub(super) fn is_debug(&self) -> bool {
        self.debug.get()
    }

    pub(crate) fn set_debug(&self, debug: bool) {
        self.debug.set(debug);
    }

    #[inline]
    pub(crate) fn ready_len(&self) -> usize {
        self.ready.len()
    }

    /// # Safety
    ///
    /// As for [`ReadyQueue::push`]. The caller also hands over the reference that keeps the node
    /// allocated until it is popped, unless the loop's own reference does that.
    #[inline]
    pub(super) unsafe fn enqueue(&self, node: NonNull<Node>) {
        // SAFETY: as the caller promises.
        unsafe { self.ready.push(node) };
    }

    pub(crate) fn has_tasks(&self) -> bool {
        self.tasks.first().is_some()
    }

    /// The unfinished tasks.
    #[inline]
    pub(super) fn task_list(&self) -> &TaskList {
        &self.tasks
    }

    /// The task that is being polled or dropped.
    #[inline]
    pub(super) fn running(&self) -> &Cell<Option<NonNull<Header>>> {
        &self.running
    }

    /// Runs the first node of the ready queue.
    #[inline(always)]
    pub(crate) fn run_next(self: &Rc<Self>) -> Option<Ran> {
        let node = self.ready.pop()?;
        if self.debug.get() {
            return Some(self.run_watched(node));
        }
        // SAFETY: a queued node is allocated, and its table is its own.
        Some(unsafe { (node.as_ref().table.run)(node, self) })
    }

    #[cold]
    fn run_watched(self: &Rc<Self>, node: NonNull<Node>) -> Ran {
        // SAFETY: as in `run_next`; the description is asked for before the node may be gone.
        let (name, origin) = unsafe { (node.as_ref().table.describe)(node) };
        let begun = Instant::now();
        // SAFETY: as in `run_next`.
        let ran = unsafe { (node.as_ref().table.run)(node, self) };
        self.report_slow(begun.elapsed(), name, origin);
        ran
    }

    /// Ends the task whose panic came out of [`run_next`](Self::run_next). If no task was running,
    /// the panic goes on.
    #[cold]
    pub(crate) fn end_panicked(self: &Rc<Self>, payload: Payload) {
        let Some(task) = self.running.get() else {
            resume_unwind(payload);
        };
        // SAFETY: the task was running, so it is allocated, and its table is its own.
        unsafe { (task.as_ref().node.table.panicked)(task.cast(), self, payload) };
        self.running.set(None);
    }

    /// Wakes the tasks and makes the calls that other threads have asked for.
    pub(crate) fn deliver(self: &Rc<Self>) {
        if !self.inbox.is_pending() {
            return;
        }
        let mut messages = self.messages.take();
        self.inbox.take(&mut messages);
        for message in messages.drain(..) {
            match message {
                Message::Wake(wake) => wake.deliver(self),
                Message::Call(f) => self.call_soon(Location::caller(), f).forget(),
            }
        }
        if messages.capacity() <= MESSAGES_KEPT {
            self.messages.set(messages);
        }
    }

    /// Drops all tasks in the order in which they were spawned, then all queued callouts.
    /// Until [`end_close`](Self::end_close), new work is refused without an error.
    pub(crate) fn begin_close(self: &Rc<Self>) {
        self.phase.set(LoopPhase::Closing);
        while let Some(task) = self.tasks.first() {
            // SAFETY: a task in the list is allocated; `end` takes it out of the list.
            unsafe { (task.as_ref().node.table.end)(task.cast(), self) };
        }
        let messages = self.inbox.close();
        for message in messages {
            self.contain_drop(|| drop(message));
        }
        while let Some(node) = self.ready.pop() {
            // SAFETY: a queued node is allocated, and its table is its own.
            unsafe { (node.as_ref().table.discard)(node, self) };
        }
    }

    pub(crate) fn end_close(&self) {
        self.phase.set(LoopPhase::Closed);
    }
}
