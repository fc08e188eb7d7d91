//! The stand-in for a main future, which takes turns like a task, but is polled by its caller.
#![expect(
    unsafe_code,
    reason = "the stand-in is a node of the ready queue, like the cell of a task"
)]

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::block::BlockKind;
use super::cell::{self, Header};
use super::count::{TaskRef, release_loops};
use super::join::TaskHandle;
use super::looking::Collecting;
use super::queue::{Node, Ran, Table};
use super::scheduler::Scheduler;
use super::state::{Begin, State, Suspend, TaskPhase};
use super::waker;

static TABLE: Table = Table {
    run,
    panicked: |_, _, _| {},
    discard: cell::discard_task,
    describe: cell::describe_task,
    looks: false,
    type_name: || "the main future",
    end: |_, _| {},
    output_at: 0,
    drop_output: |_, _| {},
    block: BlockKind::of::<Header>(),
    free: |_| {},
};

pub(crate) struct MainTask {
    task: TaskRef,
}

impl MainTask {
    /// Makes the stand-in and queues it.
    pub(crate) fn new(scheduler: &Rc<Scheduler>, origin: &'static Location<'static>) -> Self {
        let cell = scheduler.blocks().alloc(TABLE.block).cast::<Header>();
        // SAFETY: the block was made for a header. Of the two references, one is this handle's and the
        // other is the loop's.
        let task = unsafe {
            cell.write(Header::new(scheduler, 0, &TABLE, State::main(), 2, origin));
            TaskRef::from_counted(cell, scheduler.clone())
        };
        task.header().extra.set_name("main".into());
        scheduler.main.set(Some(cell));
        waker::wake_here(cell, scheduler);
        MainTask { task }
    }

    /// Polls the main future, in the turn of the stand-in. It is called at one place only, so that the
    /// compiler puts the code of a main future there.
    #[inline]
    pub(crate) fn poll<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        let (header, scheduler) = (self.task.header(), self.task.scheduler());
        let begun = match scheduler.is_watched() {
            true => scheduler.begin_watched(Some(header.id), header.origin),
            false => None,
        };
        scheduler.running().set(Some(self.task.as_ptr()));
        let waker = waker::of(&self.task);
        let polled = future.poll(&mut Context::from_waker(&waker));
        scheduler.running().set(None);
        if let Some(begun) = begun.filter(|_| scheduler.is_debug()) {
            scheduler.report_slow(begun.elapsed(), Some(header.name()), header.origin);
        }
        if polled.is_pending() && header.node.state.suspend() == Suspend::Enqueue {
            waker::requeue(&self.task);
        }
        polled
    }
}

impl MainTask {
    /// The stand-in as a task.
    pub(crate) fn handle(&self) -> TaskHandle {
        TaskHandle::new(self.task.clone())
    }

    /// Collects the steps that the main future reports, if it waits. Then the caller has to poll it.
    pub(crate) fn begin_look(&self) -> Option<Collecting> {
        let state = &self.task.header().node.state;
        if state.snapshot().phase != TaskPhase::Idle {
            return None;
        }
        let _ = state.begin();
        Some(Collecting::begin(self.task.clone()))
    }
}

impl Drop for MainTask {
    /// The main future is gone: waking one of its wakers has no effect any more.
    fn drop(&mut self) {
        self.task.scheduler().main.set(None);
        self.task.scheduler().running().set(None); // it is still set when the future has panicked
        let done = self.task.header().node.state.complete();
        if !done.queued {
            // SAFETY: the loop's reference is given up once: here or, if the stand-in is queued,
            // when it is popped.
            unsafe { release_loops(self.task.as_ptr(), self.task.scheduler()) };
        }
    }
}

unsafe fn run(node: NonNull<Node>, scheduler: &Rc<Scheduler>) -> Ran {
    let task = node.cast::<Header>();
    // SAFETY: the loop's reference keeps the stand-in allocated until it is given up here.
    unsafe {
        if task.as_ref().node.state.begin() == Begin::Release {
            release_loops(task, scheduler);
            return Ran::Step;
        }
    }
    Ran::Main
}
