//! The lists that tasks and callouts are linked into: the ready queue, the unfinished tasks.
#![expect(
    unsafe_code,
    reason = "links are raw pointers into the cells that are linked"
)]

use std::cell::Cell;
use std::panic::Location;
use std::ptr::NonNull;
use std::rc::Rc;

use super::cell::Header;
use super::scheduler::Scheduler;
use super::state::State;
use crate::panics::Payload;

/// The head of every task and callout: what the ready queue knows of it.
#[repr(C)]
pub(super) struct Node {
    pub(super) table: &'static Table,
    next: Cell<Option<NonNull<Node>>>,
    /// Handles, which never leave the owner's thread, and the loop's own reference.
    pub(super) handles: Cell<u32>,
    pub(super) state: State,
}

impl Node {
    #[inline]
    pub(super) fn new(table: &'static Table, state: State, handles: u32) -> Self {
        Node {
            table,
            next: Cell::new(None),
            handles: Cell::new(handles),
            state,
        }
    }

    /// Counts one more handle.
    #[inline]
    pub(super) fn add_handle(&self) {
        match self.handles.get().checked_add(1) {
            Some(handles) => self.handles.set(handles),
            None => too_many(),
        }
    }
}

/// Ends the process, as `Rc` and `Arc` do: so many references can only have been forgotten, and a count
/// that wrapped would free what is in use.
#[cold]
#[inline(never)]
pub(super) fn too_many() -> ! {
    std::process::abort()
}

/// What the loop can do with a node of whatever kind. Each function takes the whole cell's pointer.
pub(super) struct Table {
    /// Runs what was taken from the ready queue.
    pub(super) run: unsafe fn(NonNull<Node>, &Rc<Scheduler>) -> Ran,
    /// Ends a task whose future has panicked.
    pub(super) panicked: unsafe fn(NonNull<Node>, &Rc<Scheduler>, Payload),
    /// Drops what was taken from the ready queue, when the loop closes.
    pub(super) discard: unsafe fn(NonNull<Node>, &Rc<Scheduler>),
    pub(super) describe: unsafe fn(NonNull<Node>) -> (Option<String>, Origin),
    /// Drops the future of a task that is neither done nor running, when the loop closes; or the
    /// closure of a callout, when it is cancelled.
    pub(super) end: unsafe fn(NonNull<Node>, &Rc<Scheduler>),
    /// Moves the output to an `Option<Result<T, JoinError>>`; leaves it alone if there is none.
    pub(super) take_output: unsafe fn(NonNull<Node>, *mut ()),
    /// Drops an output that nobody took, and reports a failure that nobody saw.
    pub(super) drop_output: unsafe fn(NonNull<Node>, &Rc<Scheduler>),
    /// Gives the memory back: to the owner, on its thread, and anywhere without it.
    pub(super) free: unsafe fn(NonNull<Node>, Option<&Scheduler>),
}

pub(super) type Origin = &'static Location<'static>;

/// What a step turned out to be.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// A task or callout, and it has been run.
    Step,
    /// The main future, which the caller has to poll now.
    Main,
}

/// First in, first out; whatever is ready to run stands here.
#[derive(Default)]
pub(super) struct ReadyQueue {
    head: Cell<Option<NonNull<Node>>>,
    tail: Cell<Option<NonNull<Node>>>,
    len: Cell<usize>,
}

impl ReadyQueue {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len.get()
    }

    /// # Safety
    ///
    /// The node is on its owner's thread, stands in no queue, and stays allocated until it is
    /// popped.
    #[inline]
    pub(super) unsafe fn push(&self, node: NonNull<Node>) {
        // SAFETY: the caller promises that the node is allocated, and so was the tail when it was
        // pushed, until it is popped, which removes it from here.
        unsafe {
            node.as_ref().next.set(None);
            match self.tail.replace(Some(node)) {
                Some(tail) => tail.as_ref().next.set(Some(node)),
                None => self.head.set(Some(node)),
            }
        }
        self.len.set(self.len.get() + 1);
    }

    #[inline]
    pub(super) fn pop(&self) -> Option<NonNull<Node>> {
        let node = self.head.get()?;
        // SAFETY: what stands in the queue is allocated, by the promise made to `push`.
        let next = unsafe { node.as_ref().next.get() };
        self.head.set(next);
        if next.is_none() {
            self.tail.set(None);
        }
        self.len.set(self.len.get() - 1);
        Some(node)
    }
}

/// A task's neighbours in the list of unfinished tasks.
#[derive(Default)]
pub(super) struct Links {
    previous: Cell<Option<NonNull<Header>>>,
    next: Cell<Option<NonNull<Header>>>,
}

/// The unfinished tasks of a loop, in the order in which they were spawned.
#[derive(Default)]
pub(super) struct TaskList {
    first: Cell<Option<NonNull<Header>>>,
    last: Cell<Option<NonNull<Header>>>,
}

impl TaskList {
    #[inline]
    pub(super) fn first(&self) -> Option<NonNull<Header>> {
        self.first.get()
    }

    /// # Safety
    ///
    /// The task is in no list, and stays allocated until it is removed from this one.
    #[inline]
    pub(super) unsafe fn push(&self, task: NonNull<Header>) {
        let last = self.last.replace(Some(task));
        // SAFETY: the caller promises that this task is allocated; the last one still is, because
        // it has not been removed.
        unsafe {
            task.as_ref().links.previous.set(last);
            match last {
                Some(last) => last.as_ref().links.next.set(Some(task)),
                None => self.first.set(Some(task)),
            }
        }
    }

    /// # Safety
    ///
    /// The task is in this list.
    #[inline]
    pub(super) unsafe fn remove(&self, task: NonNull<Header>) {
        // SAFETY: what is in the list is allocated, the neighbours included.
        unsafe {
            let Links { previous, next } = &task.as_ref().links;
            match previous.get() {
                Some(previous) => previous.as_ref().links.next.set(next.get()),
                None => self.first.set(next.get()),
            }
            match next.get() {
                Some(next) => next.as_ref().links.previous.set(previous.get()),
                None => self.last.set(previous.get()),
            }
        }
    }

    /// Calls `visit` with each task; it must not change the list.
    pub(super) fn for_each(&self, mut visit: impl FnMut(NonNull<Header>)) {
        let mut at = self.first.get();
        while let Some(task) = at {
            // SAFETY: what is in the list is allocated, and `visit` removes nothing.
            at = unsafe { task.as_ref().links.next.get() };
            visit(task);
        }
    }
}
