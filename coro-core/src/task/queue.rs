//! The ready queue and the list of unfinished tasks.
#![expect(unsafe_code, reason = "a link is a raw pointer to the next cell")]

use std::cell::Cell;
use std::mem::offset_of;
use std::panic::Location;
use std::ptr::NonNull;
use std::rc::Rc;

use super::block::BlockKind;
use super::cell::Header;
use super::scheduler::Scheduler;
use super::state::State;
use crate::panics::Payload;
use crate::primitives::AtomicBool;

/// The head of every task and callout: the part that the ready queue uses.
#[repr(C)]
pub(super) struct Node {
    pub(super) table: &'static Table,
    next: Cell<Option<NonNull<Node>>>,
    /// The handles, which never leave the owner's thread, and the loop's own reference.
    pub(super) handles: Cell<u32>,
    pub(super) state: State,
    /// Whether the task already waits in the inbox; a callout never does.
    pub(super) in_inbox: AtomicBool,
}

impl Node {
    #[inline]
    pub(super) fn new(table: &'static Table, state: State, handles: u32) -> Self {
        Node {
            table,
            next: Cell::new(None),
            handles: Cell::new(handles),
            state,
            in_inbox: AtomicBool::new(false),
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

/// Ends the process, as `Rc` and `Arc` do. Only a program that forgets references counts this far, and
/// a count that wrapped would free memory that is in use.
#[cold]
#[inline(never)]
pub(super) fn too_many() -> ! {
    std::process::abort()
}

/// The functions of the loop for one type of cell. Each takes a pointer to the whole cell.
pub(super) struct Table {
    /// Runs a node that was popped from the ready queue.
    pub(super) run: unsafe fn(NonNull<Node>, &Rc<Scheduler>) -> Ran,
    /// Ends a task whose future has panicked.
    pub(super) panicked: unsafe fn(NonNull<Node>, &Rc<Scheduler>, Payload),
    /// Drops a node that was popped from the ready queue, when the loop closes.
    pub(super) discard: unsafe fn(NonNull<Node>, &Rc<Scheduler>),
    /// Gives the number of a task, and the place of origin.
    pub(super) describe: unsafe fn(NonNull<Node>) -> (Option<u64>, Origin),
    /// Whether the loop takes a dump after it has run the node.
    pub(super) looks: bool,
    /// The name of the type of the future or the closure.
    pub(super) type_name: fn() -> &'static str,
    /// Drops the future of a task that is neither done nor running, when the loop closes. Drops the
    /// closure of a callout, when the callout is cancelled.
    pub(super) end: unsafe fn(NonNull<Node>, &Rc<Scheduler>),
    /// The place in a task where its output is kept, in bytes from its beginning.
    pub(super) output_at: usize,
    /// Drops an output that is kept, after reporting it if it is a failure.
    pub(super) drop_output: unsafe fn(NonNull<Node>, &Rc<Scheduler>),
    /// The block of memory that a task has.
    pub(super) block: BlockKind,
    /// Frees a callout to which no reference remains.
    pub(super) free: unsafe fn(NonNull<Node>),
}

pub(super) type Origin = &'static Location<'static>;

/// The kind of node that a step has run. Those for which the loop interrupts a turn come last, so that
/// one comparison tells them.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(crate) enum Ran {
    /// None: the queue is empty.
    Nothing,
    /// A task or callout, which has been run.
    Step,
    /// The main future, which the caller has to poll now.
    Main,
    /// A callout that has asked for a dump, which the caller has to take now.
    Look,
}

/// The nodes that are ready to run, first in, first out.
pub(super) struct ReadyQueue {
    head: Cell<Option<NonNull<Node>>>,
    /// The last node; while there is none, it dangles and is not read, so that `pop` need not change it.
    tail: Cell<NonNull<Node>>,
    len: Cell<usize>,
}

impl Default for ReadyQueue {
    fn default() -> Self {
        ReadyQueue {
            head: Cell::new(None),
            tail: Cell::new(NonNull::dangling()),
            len: Cell::new(0),
        }
    }
}

impl ReadyQueue {
    pub(super) const LEN: usize = offset_of!(ReadyQueue, len);

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len.get()
    }

    /// # Safety
    ///
    /// The node is in no queue and stays allocated until it is popped, and this is its owner's
    /// thread.
    #[inline]
    pub(super) unsafe fn push(&self, node: NonNull<Node>) {
        // SAFETY: the caller promises that the node is allocated, and so was the tail when it was
        // pushed, until it is popped. While there is a head, the tail has not been popped.
        unsafe {
            node.as_ref().next.set(None);
            match self.head.get() {
                Some(_) => self.tail.get().as_ref().next.set(Some(node)),
                None => self.head.set(Some(node)),
            }
        }
        self.tail.set(node);
        self.len.set(self.len.get() + 1);
    }

    #[inline]
    pub(super) fn pop(&self) -> Option<NonNull<Node>> {
        let node = self.head.get()?;
        // SAFETY: a node in the queue is allocated, by the promise made to `push`.
        let next = unsafe { node.as_ref().next.get() };
        self.head.set(next);
        self.len.set(self.len.get() - 1);
        Some(node)
    }
}

/// A simulation looks into the queue, and chooses from it.
impl ReadyQueue {
    pub(super) fn at(&self, index: usize) -> Option<NonNull<Node>> {
        let mut node = self.head.get()?;
        for _ in 0..index {
            // SAFETY: a node in the queue is allocated, by the promise made to `push`.
            node = unsafe { node.as_ref().next.get() }?;
        }
        Some(node)
    }

    /// Moves the node at `index` to the head, from where it is popped next.
    pub(super) fn bring_forward(&self, index: usize) {
        let Some(before) = index.checked_sub(1).and_then(|before| self.at(before)) else {
            return;
        };
        // SAFETY: nodes in the queue are allocated, by the promise made to `push`. This one is taken
        // out of the chain, then put before its head, so the chain has the same nodes as before.
        unsafe {
            let Some(node) = before.as_ref().next.get() else {
                return;
            };
            let after = node.as_ref().next.get();
            before.as_ref().next.set(after);
            if after.is_none() {
                self.tail.set(before);
            }
            node.as_ref().next.set(self.head.replace(Some(node)));
        }
    }
}

/// A task's neighbours in the list of unfinished tasks.
#[derive(Default)]
pub(super) struct Links {
    previous: Cell<Option<NonNull<Header>>>,
    next: Cell<Option<NonNull<Header>>>,
}

impl Links {
    pub(super) const PREVIOUS: usize = offset_of!(Links, previous);
    pub(super) const NEXT: usize = offset_of!(Links, next);
}

/// The unfinished tasks of a loop, in the order in which they were spawned.
#[derive(Default)]
pub(super) struct TaskList {
    first: Cell<Option<NonNull<Header>>>,
    last: Cell<Option<NonNull<Header>>>,
}

impl TaskList {
    pub(super) const FIRST: usize = offset_of!(TaskList, first);
    pub(super) const LAST: usize = offset_of!(TaskList, last);

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
        // SAFETY: a task in the list is allocated, and so are its neighbours.
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
            // SAFETY: a task in the list is allocated, and `visit` removes none.
            at = unsafe { task.as_ref().links.next.get() };
            visit(task);
        }
    }
}
