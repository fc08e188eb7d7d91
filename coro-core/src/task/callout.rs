//! Callouts: closures that the loop calls once, when their turn comes.
#![expect(
    unsafe_code,
    reason = "a callout erases the type of its closure behind a counted pointer"
)]

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::rc::Rc;

use super::block::BlockKind;
use super::queue::{Node, Origin, Ran, Table};
use super::scheduler::Scheduler;
use super::state::State;
use crate::panics::drop_payload;
use crate::report::{ErrorReport, ReportKind};

#[repr(C)]
struct CalloutCell<F> {
    node: Node,
    origin: Origin,
    /// Borrowed only to take the closure out.
    closure: UnsafeCell<Option<F>>,
}

/// A counted reference to a callout. It never leaves the loop's thread, so plain cells count.
pub(crate) struct Callout(NonNull<Node>);

impl Callout {
    pub(super) fn new<F: FnOnce() + 'static>(origin: Origin, f: F) -> Self {
        Callout::with(&CalloutCell::<F>::TABLE, origin, f)
    }

    /// A callout after which the loop takes a dump.
    pub(super) fn to_look<F: FnOnce() + 'static>(origin: Origin, f: F) -> Self {
        Callout::with(&CalloutCell::<F>::LOOK, origin, f)
    }

    fn with<F: FnOnce() + 'static>(table: &'static Table, origin: Origin, f: F) -> Self {
        let node = Node::new(table, State::idle(), 1);
        let cell = Box::new(CalloutCell {
            node,
            origin,
            closure: UnsafeCell::new(Some(f)),
        });
        Callout(NonNull::from(Box::leak(cell)).cast())
    }

    fn node(&self) -> &Node {
        // SAFETY: the reference is counted, so the callout is allocated.
        unsafe { self.0.as_ref() }
    }

    /// Drops the closure now, unless it was called or cancelled before.
    pub(crate) fn cancel(&self, scheduler: &Rc<Scheduler>) {
        if !self.node().state.is_done() {
            let _ = self.node().state.cancel();
            let _ = self.node().state.complete();
            // SAFETY: the callout is allocated. Its closure is not being called: the state would say
            // done.
            unsafe { (self.node().table.end)(self.0, scheduler) };
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.node().state.is_cancelled()
    }

    /// Puts the callout at the end of the ready queue. It must be there at most once.
    pub(crate) fn enqueue(self, scheduler: &Scheduler) {
        let node = self.0;
        std::mem::forget(self);
        // SAFETY: the reference that was just forgotten is the queue's from now on.
        unsafe { scheduler.enqueue(node) };
    }

    /// Drops this reference. The callout is called all the same.
    pub(crate) fn forget(self) {}
}

impl Clone for Callout {
    fn clone(&self) -> Self {
        self.node().add_handle();
        Callout(self.0)
    }
}

impl Drop for Callout {
    fn drop(&mut self) {
        // SAFETY: gives up the reference that this stands for.
        unsafe { release(self.0) };
    }
}

/// # Safety
///
/// The caller gives up a reference to a callout.
unsafe fn release(node: NonNull<Node>) {
    // SAFETY: the caller's reference keeps the callout allocated; after the last one is given up, it
    // is not used.
    unsafe {
        let left = node.as_ref().handles.get() - 1;
        node.as_ref().handles.set(left);
        if left == 0 {
            (node.as_ref().table.free)(node);
        }
    }
}

impl Scheduler {
    /// Calls the closure of a callout; if it panics, that is reported.
    #[inline(always)]
    pub(crate) fn call_now(&self, origin: Origin, f: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
            let report = ErrorReport::of_panic(ReportKind::CalloutPanicked, payload.as_ref());
            self.report(report.from(origin));
            drop_payload(payload);
        }
    }
}

impl<F: FnOnce() + 'static> CalloutCell<F> {
    const TABLE: Table = Self::table(run::<F>, false);
    const LOOK: Table = Self::table(run_to_look::<F>, true);

    const fn table(run: unsafe fn(NonNull<Node>, &Rc<Scheduler>) -> Ran, looks: bool) -> Table {
        Table {
            run,
            panicked: |_, _, _| {},
            discard,
            describe: describe::<F>,
            looks,
            type_name: std::any::type_name::<F>,
            end: end::<F>,
            output_at: 0,
            drop_output: |_, _| {},
            block: BlockKind::of::<Node>(), // of which tasks are made, not callouts
            free: free::<F>,
        }
    }
}

/// # Safety
///
/// The callout is a cell of `F`, and allocated.
unsafe fn take<F>(node: NonNull<Node>) -> Option<F> {
    // SAFETY: as the caller promises. The borrow ends here, before foreign code runs.
    unsafe { (*node.cast::<CalloutCell<F>>().as_ref().closure.get()).take() }
}

unsafe fn run<F: FnOnce()>(node: NonNull<Node>, scheduler: &Rc<Scheduler>) -> Ran {
    // SAFETY: the queue's reference keeps the callout allocated until it is given up at the end. The
    // table says that it is a cell of `F`.
    unsafe {
        if let Some(f) = take::<F>(node) {
            let _ = node.as_ref().state.complete();
            scheduler.call_now(node.cast::<CalloutCell<F>>().as_ref().origin, f);
        }
        release(node);
    }
    Ran::Step
}

/// As [`run`]; then the loop takes the dump that the closure has asked for.
unsafe fn run_to_look<F: FnOnce()>(node: NonNull<Node>, scheduler: &Rc<Scheduler>) -> Ran {
    // SAFETY: as the caller promises.
    let _ = unsafe { run::<F>(node, scheduler) };
    Ran::Look
}

unsafe fn discard(node: NonNull<Node>, scheduler: &Rc<Scheduler>) {
    let callout = Callout(node); // the queue's reference
    scheduler.contain_drop(|| callout.cancel(scheduler));
}

unsafe fn end<F>(node: NonNull<Node>, _: &Rc<Scheduler>) {
    // SAFETY: the caller has a reference to the callout.
    drop(unsafe { take::<F>(node) });
}

unsafe fn describe<F>(node: NonNull<Node>) -> (Option<u64>, Origin) {
    // SAFETY: the caller has a reference to the callout.
    (
        None,
        unsafe { node.cast::<CalloutCell<F>>().as_ref() }.origin,
    )
}

unsafe fn free<F>(node: NonNull<Node>) {
    // SAFETY: leaked from a box of this type in `new`, and no reference remains.
    drop(unsafe { Box::from_raw(node.cast::<CalloutCell<F>>().as_ptr()) });
}
