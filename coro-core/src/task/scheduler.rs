//! The scheduler: the part of a loop that its tasks and callouts need to know.
//!
//! It has the list of unfinished tasks, the ready queue and the inbox, and runs the ready queue's
//! first. `spawn` has how tasks and callouts come in, `reports` where their failures go.
#![expect(
    unsafe_code,
    reason = "the nodes of the lists are run and ended through raw pointers"
)]

use std::cell::{Cell, OnceCell, RefCell};
use std::mem::{ManuallyDrop, offset_of};
use std::panic::{Location, resume_unwind};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc as StdArc; // which the other threads of loom's tests never see
use std::time::{Duration, Instant};

use super::block::Blocks;
use super::cell::Header;
use super::collector::Collector;
use super::current;
#[cfg(feature = "simulation")]
use super::host::HostLife;
use super::inbox::{Inbox, Message};
use super::pulse::{BusyWith, Pulse};
use super::queue::{Node, Origin, Ran, ReadyQueue, TaskList};
use crate::panics::Payload;
use crate::primitives::Arc;
use crate::report::ErrorReport;
use crate::sys::WakeUp;

/// A step longer than this is reported in debug mode, unless the program sets another limit, as in
/// asyncio.
pub(crate) const SLOW: Duration = Duration::from_millis(100);

/// A buffer for messages that has grown beyond this length is freed after use.
const MESSAGES_KEPT: usize = 1024;

pub(super) type Reporter = Rc<dyn Fn(&ErrorReport)>;

pub(crate) struct Scheduler {
    inbox: Arc<Inbox>,
    ready: ReadyQueue,
    tasks: TaskList,
    /// The task that is being polled or dropped.
    running: Cell<Option<NonNull<Header>>>,
    /// The stand-in for the main future of the present run.
    pub(super) main: Cell<Option<NonNull<Header>>>,
    blocks: Blocks,
    /// The exception handler, if the program has set one.
    pub(super) reporter: RefCell<Option<Reporter>>,
    last_id: Cell<u64>,
    /// An empty buffer for the messages of the inbox, which keeps its memory between turns.
    messages: Cell<Vec<Message>>,
    phase: Cell<LoopPhase>,
    debug: Cell<bool>,
    /// The tasks of simulated hosts, by their numbers.
    #[cfg(feature = "simulation")]
    pub(super) hosts: RefCell<Vec<(u64, HostLife)>>,
    /// A step longer than this is reported in debug mode.
    slow: Cell<Duration>,
    /// Tells a watchdog which step the loop takes, if there is one.
    pulse: OnceCell<StdArc<Pulse>>,
    /// Each task notes when its last step began.
    measures: bool,
    /// Whether steps are watched, for one of the three reasons above.
    watches: Cell<bool>,
    collector: Collector,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LoopPhase {
    Open,
    Closing,
    Closed,
}

// Offsets, for readers of the memory of the process.
impl Scheduler {
    pub(super) const TASKS: usize = offset_of!(Scheduler, tasks);
    pub(super) const READY: usize = offset_of!(Scheduler, ready);
    pub(super) const RUNNING: usize = offset_of!(Scheduler, running);
    pub(super) const MAIN: usize = offset_of!(Scheduler, main);
    pub(super) const LAST_ID: usize = offset_of!(Scheduler, last_id);
}

impl Scheduler {
    pub(crate) fn new(wake_up: WakeUp, debug: bool, measures: bool) -> Rc<Self> {
        Rc::new(Scheduler {
            inbox: Arc::new(Inbox::new(wake_up)),
            ready: ReadyQueue::default(),
            tasks: TaskList::default(),
            running: Cell::new(None),
            main: Cell::new(None),
            blocks: Blocks::new(),
            reporter: RefCell::new(None),
            last_id: Cell::new(0),
            messages: Cell::default(),
            phase: Cell::new(LoopPhase::Open),
            debug: Cell::new(debug),
            #[cfg(feature = "simulation")]
            hosts: RefCell::default(),
            slow: Cell::new(SLOW),
            pulse: OnceCell::new(),
            measures,
            watches: Cell::new(debug || measures),
            collector: Collector::default(),
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

    /// Whether there is memory of a burst of tasks to be freed.
    #[inline]
    pub(crate) fn has_spare_memory(&self) -> bool {
        self.blocks.are_many()
    }

    /// Frees some of the memory that a burst of tasks needed; gives whether there is more to free.
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

    /// The loop that this thread is inside of, if it is a `C`.
    #[inline]
    pub(crate) fn current_loop<C: 'static>() -> Option<Rc<C>> {
        let context = current::context::<C>()?;
        // SAFETY: the pointer came out of an `Rc` with a value of this type, which is still there, as in
        // `with_current`. The one made here is counted.
        Some(unsafe {
            Rc::increment_strong_count(context);
            Rc::from_raw(context)
        })
    }

    pub(super) fn collector(&self) -> &Collector {
        &self.collector
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

    /// Whether steps are measured, or told to a watchdog.
    #[inline]
    pub(super) fn is_watched(&self) -> bool {
        self.watches.get()
    }

    pub(crate) fn is_debug(&self) -> bool {
        self.debug.get()
    }

    pub(crate) fn set_debug(&self, debug: bool) {
        self.debug.set(debug);
        let is_told = self.pulse.get().is_some();
        self.watches.set(debug || self.measures || is_told);
    }

    /// The duration from which on debug mode reports a step.
    pub(crate) fn slow_callback_duration(&self) -> &Cell<Duration> {
        &self.slow
    }

    /// Has the scheduler tell this pulse of each step, from now on.
    pub(crate) fn begin_pulse(&self, pulse: StdArc<Pulse>) {
        let _ = self.pulse.set(pulse); // a loop is made with one watchdog at most
        self.watches.set(true);
    }

    pub(crate) fn pulse(&self) -> Option<&Pulse> {
        self.pulse.get().map(|pulse| &**pulse)
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
    pub(crate) fn run_next(self: &Rc<Self>) -> Ran {
        let Some(node) = self.ready.pop() else {
            return Ran::Nothing;
        };
        if self.is_watched() {
            return self.run_watched(node);
        }
        // SAFETY: a queued node is allocated, and its table is its own.
        unsafe { (node.as_ref().table.run)(node, self) }
    }

    #[cold]
    fn run_watched(self: &Rc<Self>, node: NonNull<Node>) -> Ran {
        // SAFETY: a queued node is allocated, and its table is its own.
        let (task, origin) = unsafe { (node.as_ref().table.describe)(node) };
        let begun = self.begin_watched(task, origin);
        // SAFETY: a node with a number is the head of a task, which is allocated until it has run.
        let header = task.map(|_| unsafe { node.cast::<Header>().as_ref() });
        if let (true, Some(begun), Some(header)) = (self.measures, begun, header) {
            header.extra.begin_wait(begun);
        }
        let name = header.filter(|_| self.debug.get()).map(Header::name);
        // SAFETY: as in `run_next`; the header is not used after it.
        let ran = unsafe { (node.as_ref().table.run)(node, self) };
        // A dump is no step of the program.
        if let Some(begun) = begun.filter(|_| self.debug.get() && ran != Ran::Look) {
            self.report_slow(begun.elapsed(), name, origin);
        }
        ran
    }

    /// Tells a watchdog that a step begins, of a task or of a callout. Gives the time if the loop
    /// measures anything by it.
    pub(super) fn begin_watched(&self, task: Option<u64>, origin: Origin) -> Option<Instant> {
        if let Some(pulse) = self.pulse.get() {
            pulse.begin(task.map_or(BusyWith::Callout, BusyWith::Task), Some(origin));
        }
        (self.debug.get() || self.measures).then(Instant::now)
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
    #[inline(always)]
    pub(crate) fn deliver(self: &Rc<Self>) {
        if self.inbox.is_pending() {
            self.deliver_messages();
        }
    }

    #[cold]
    fn deliver_messages(self: &Rc<Self>) {
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
