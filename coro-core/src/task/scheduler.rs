//! The owner of tasks: what of a loop its tasks and callouts need to know.
#![expect(
    unsafe_code,
    reason = "what stands in the lists is run and ended through raw pointers"
)]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::block::Blocks;
use super::callout::Callout;
use super::cell::{self, Header};
use super::context;
use super::count::TaskRef;
use super::inbox::{Inbox, Message};
use super::join::{Task, TaskHandle};
use super::large::{InBox, is_large};
use super::queue::{Node, Origin, Payload, Ran, ReadyQueue, TaskList};
use super::reports::{Undelivered, drop_payload, failure, print};
use super::state::State;
use super::{current, waker};
use crate::error::JoinError;
use crate::primitives::Arc;
use crate::report::{ErrorReport, ReportKind};
use crate::sys::WakeUp;

/// A step longer than this is reported in debug mode, as in asyncio.
const SLOW: Duration = Duration::from_millis(100);

/// Storage for messages beyond this many is given back.
const MESSAGES_KEPT: usize = 1024;

type Reporter = Rc<dyn Fn(&ErrorReport)>;

pub(crate) struct Scheduler {
    inbox: Arc<Inbox>,
    ready: ReadyQueue,
    tasks: TaskList,
    /// The task that is being polled or dropped.
    running: Cell<Option<NonNull<Header>>>,
    blocks: Blocks,
    reporter: RefCell<Option<Reporter>>,
    last_id: Cell<u64>,
    /// An empty buffer for what the inbox has, which keeps its memory.
    messages: Cell<Vec<Message>>,
    phase: Cell<LoopPhase>,
    debug: Cell<bool>,
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

    /// Gives back a little of the memory that a burst of tasks has left; whether there is more.
    #[inline]
    pub(crate) fn trim_memory(&self) -> bool {
        self.blocks.trim()
    }

    /// Whether this thread is inside of this owner's loop.
    pub(crate) fn is_current(&self) -> bool {
        current::scheduler_of(&self.inbox).is_some()
    }

    #[inline]
    pub(super) fn next_id(&self) -> u64 {
        self.last_id.set(self.last_id.get() + 1);
        self.last_id.get()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.phase.get() == LoopPhase::Closed
    }

    /// Whether new work is taken; it is not while the loop closes.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.phase.get() == LoopPhase::Open
    }

    #[inline]
    pub(crate) fn ready_len(&self) -> usize {
        self.ready.len()
    }

    pub(crate) fn has_tasks(&self) -> bool {
        self.tasks.first().is_some()
    }

    /// # Safety
    ///
    /// As for [`ReadyQueue::push`]; and the reference by which the node stays allocated is the
    /// queue's from now on, unless the loop's own reference serves.
    #[inline]
    pub(super) unsafe fn enqueue(&self, node: NonNull<Node>) {
        // SAFETY: as the caller promises.
        unsafe { self.ready.push(node) };
    }

    /// Makes a task, which inherits the values of task-locals; while the loop closes it is cancelled
    /// at once, without being polled.
    #[inline]
    pub(crate) fn spawn<F>(
        self: &Rc<Self>,
        future: F,
        origin: Origin,
        eager: bool,
    ) -> Task<F::Output>
    where
        F: Future + 'static,
    {
        match current::has_values() {
            false => self.spawn_bare(future, origin, eager),
            true => self.spawn_inheriting(Box::pin(future), origin, eager),
        }
    }

    /// As [`spawn`](Self::spawn), but the task inherits nothing.
    #[inline]
    pub(super) fn spawn_bare<F>(
        self: &Rc<Self>,
        future: F,
        origin: Origin,
        eager: bool,
    ) -> Task<F::Output>
    where
        F: Future + 'static,
    {
        match const { is_large::<F::Output>() } {
            true => Task::of_boxed(self.spawn_cell(InBox::new(future), origin, eager)),
            false => self.spawn_cell(future, origin, eager),
        }
    }

    #[inline]
    fn spawn_cell<F>(self: &Rc<Self>, future: F, origin: Origin, eager: bool) -> Task<F::Output>
    where
        F: Future + 'static,
    {
        if !self.is_open() || eager {
            return self.spawn_now(future, origin);
        }
        let task = cell::new_task(self, State::queued(), future, origin);
        // SAFETY: the loop's reference, one of the two that a new task has, keeps it allocated in
        // the list and in the queue, until the task is finished.
        unsafe {
            self.tasks.push(task.as_ptr());
            self.enqueue(task.as_ptr().cast());
        }
        Task::new(task)
    }

    /// Makes a task and polls it at once; or drops its future at once, if the loop is closing.
    fn spawn_now<F>(self: &Rc<Self>, future: F, origin: Origin) -> Task<F::Output>
    where
        F: Future + 'static,
    {
        let task = cell::new_task(self, State::idle(), future, origin);
        // SAFETY: as in `spawn`; `end` finishes a task that is in the list and not running.
        unsafe {
            self.tasks.push(task.as_ptr());
            match self.is_open() {
                true => cell::poll_first::<F>(&task),
                false => (task.header().node.table.end)(task.as_ptr().cast(), self),
            }
        }
        Task::new(task)
    }

    #[inline]
    pub(crate) fn call_soon(
        self: &Rc<Self>,
        origin: Origin,
        f: impl FnOnce() + 'static,
    ) -> Callout {
        let callout = self.callout(origin, f);
        if self.is_open() {
            callout.clone().enqueue(self);
        }
        callout
    }

    /// A callout that is not queued yet; while the loop closes it is cancelled at once.
    pub(crate) fn callout(self: &Rc<Self>, origin: Origin, f: impl FnOnce() + 'static) -> Callout {
        let callout = match current::has_values() {
            false => Callout::new(origin, f),
            true => Callout::new(origin, context::inherit(Box::new(f))),
        };
        if !self.is_open() {
            self.contain_drop(|| callout.cancel(self));
        }
        callout
    }

    /// The task that is being polled or dropped.
    #[inline]
    pub(super) fn running(&self) -> &Cell<Option<NonNull<Header>>> {
        &self.running
    }

    /// Calls `f` with the owner whose loop this thread is inside of, which the caller has made sure
    /// that it is.
    #[inline]
    pub(crate) fn with_current<T>(f: impl FnOnce(&Rc<Scheduler>) -> T) -> T {
        let scheduler = current::scheduler();
        assert!(!scheduler.is_null(), "outside of all loops");
        // SAFETY: the owner that is current came from an `Rc`, which lives until its `Entered` guard
        // is dropped, and so longer than `f` runs. The one made here is never dropped.
        let scheduler = ManuallyDrop::new(unsafe { Rc::from_raw(scheduler) });
        f(&scheduler)
    }

    /// Runs what is first in the ready queue.
    #[inline(always)]
    pub(crate) fn run_next(self: &Rc<Self>) -> Option<Ran> {
        let node = self.ready.pop()?;
        if self.debug.get() {
            return Some(self.run_watched(node));
        }
        // SAFETY: what was queued is allocated, and its table is its own.
        Some(unsafe { (node.as_ref().table.run)(node, self) })
    }

    /// What [`run_next`](Self::run_next) ran has panicked; if it was not a task, go on panicking.
    #[cold]
    pub(crate) fn end_panicked(self: &Rc<Self>, payload: Payload) {
        let Some(task) = self.running.get() else {
            resume_unwind(payload);
        };
        // SAFETY: the task was running, so it is allocated, and its table is its own.
        unsafe { (task.as_ref().node.table.panicked)(task.cast(), self, payload) };
        self.running.set(None);
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

    /// Reports a step if it was a slow one.
    pub(super) fn report_slow(&self, took: Duration, name: Option<String>, origin: Origin) {
        if took >= SLOW {
            let message = format!("it ran for {} ms", took.as_millis());
            let mut report = ErrorReport::new(ReportKind::SlowStep, message).from(origin);
            report.task = name;
            self.report(report);
        }
    }

    pub(super) fn is_debug(&self) -> bool {
        self.debug.get()
    }

    pub(crate) fn set_debug(&self, debug: bool) {
        self.debug.set(debug);
    }

    /// Does what other threads have asked for.
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

    /// The unfinished tasks, in the order in which they were spawned.
    pub(crate) fn tasks(self: &Rc<Self>) -> Vec<TaskHandle> {
        let mut tasks = Vec::new();
        self.tasks.for_each(|task| {
            // SAFETY: what is in the list is allocated, and the list is its owner's.
            tasks.push(TaskHandle::new(unsafe { TaskRef::new(task, self.clone()) }));
        });
        tasks
    }

    /// A task is finished: it leaves the list of those that are not.
    #[inline]
    pub(super) fn forget(&self, task: NonNull<Header>) {
        // SAFETY: every task is in its owner's list from when it was spawned until here.
        unsafe { self.tasks.remove(task) };
    }

    /// Drops all tasks in the order in which they were spawned, then all callouts that are queued.
    /// Until [`end_close`](Self::end_close), work that is asked for is refused quietly.
    pub(crate) fn begin_close(self: &Rc<Self>) {
        self.phase.set(LoopPhase::Closing);
        while let Some(task) = self.tasks.first() {
            // SAFETY: what is in the list is allocated; `end` takes it from there.
            unsafe { (task.as_ref().node.table.end)(task.cast(), self) };
        }
        let messages = self.inbox.close();
        for message in messages {
            self.contain_drop(|| drop(message));
        }
        while let Some(node) = self.ready.pop() {
            // SAFETY: what was queued is allocated, and its table is its own.
            unsafe { (node.as_ref().table.discard)(node, self) };
        }
    }

    pub(crate) fn end_close(&self) {
        self.phase.set(LoopPhase::Closed);
    }

    pub(crate) fn set_reporter(&self, reporter: Reporter) {
        let before = self.reporter.replace(Some(reporter));
        drop(before);
    }

    /// Hands a report to the exception handler, or prints it.
    pub(crate) fn report(&self, report: ErrorReport) {
        let reporter = self.reporter.borrow().clone();
        match reporter {
            None => print(&report),
            Some(reporter) => {
                if let Err(payload) = catch_unwind(AssertUnwindSafe(|| reporter(&report))) {
                    print(&report);
                    print(&ErrorReport::of_panic(
                        ReportKind::HandlerPanicked,
                        payload.as_ref(),
                    ));
                    drop_payload(payload);
                }
            }
        }
    }

    /// Hands a report to the exception handler of the loop with this inbox, from whatever thread; if
    /// the loop does not get to it any more, prints it.
    pub(crate) fn report_to(inbox: &Inbox, report: ErrorReport) {
        if current::scheduler_of(inbox).is_some() {
            return Scheduler::with_current(|scheduler| scheduler.report(report));
        }
        let mut undelivered = Undelivered(Some(report));
        let deliver = move || {
            if let Some(report) = undelivered.0.take() {
                Scheduler::with_current(|scheduler| scheduler.report(report));
            }
        };
        let _ = inbox.push_call(Box::new(deliver)); // refused, it is printed
    }

    /// Wakes whoever waits; a waker that is not a task's is foreign code.
    #[inline]
    pub(crate) fn wake(&self, waker: Waker) {
        if waker::is_of_a_task(&waker) {
            return waker.wake();
        }
        self.contain(ReportKind::WakePanicked, None, || waker.wake());
    }

    /// Calls what drops a closure or a waker.
    pub(crate) fn contain_drop(&self, f: impl FnOnce()) {
        self.contain(ReportKind::DropPanicked, None, f);
    }

    /// Calls what drops a task's future or output.
    pub(super) fn contain_drop_of(&self, task: &Header, f: impl FnOnce()) {
        self.contain(ReportKind::DropPanicked, Some(task), f);
    }

    /// Calls foreign code; if it panics, that is reported, and the panic's text given.
    pub(crate) fn contain_call<T>(
        &self,
        kind: ReportKind,
        f: impl FnOnce() -> T,
    ) -> Result<T, String> {
        catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
            let report = ErrorReport::of_panic(kind, payload.as_ref());
            let message = report.message.clone();
            self.report(report);
            drop_payload(payload);
            message
        })
    }

    /// Calls `f`, and reports if it panics.
    fn contain(&self, kind: ReportKind, task: Option<&Header>, f: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
            let mut report = ErrorReport::of_panic(kind, payload.as_ref());
            if let Some(task) = task {
                report = report.in_task(task.name()).from(task.origin);
            }
            self.report(report);
            drop_payload(payload);
        }
    }

    /// A task has ended without an output, and nobody is left to see it.
    pub(super) fn report_join_error(&self, task: &Header, error: JoinError) {
        if let Ok(payload) = error.try_into_panic() {
            let report = ErrorReport::of_panic(ReportKind::TaskPanicked, payload.as_ref());
            self.report(report.in_task(task.name()).from(task.origin));
            drop_payload(payload);
        }
    }

    /// A task has ended with an output that nobody is left to see: is it an error?
    pub(super) fn report_failure(&self, task: &Header, output: &dyn Any) {
        if let Some(error) = failure(output) {
            let report = ErrorReport::new(ReportKind::TaskFailed, error);
            self.report(report.in_task(task.name()).from(task.origin));
        }
    }
}
