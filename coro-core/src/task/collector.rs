//! The `Collector`: the steps that a task reports while it is polled for a dump.
//!
//! Steps are written in the order in which a text shows them, each with its depth. A bracket is a
//! step that others lie under. It is open while its future is polled, and its steps are taken back
//! if that future is ready.

use std::cell::{Cell, RefCell};
use std::collections::BinaryHeap;
use std::panic::Location;

use super::id::TaskId;
use super::step::Step;

/// A step with its depth below the task.
pub(crate) type Placed = (u32, Step);

/// What one poll for a dump has shown of a task.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) path: Box<[Placed]>,
    /// Whether each waker of the task is held by a wait of this loop that was seen.
    pub(crate) accounted: bool,
}

#[derive(Default)]
pub(super) struct Collector {
    active: Cell<bool>,
    steps: RefCell<Vec<Placed>>,
    depth: Cell<u32>,
    /// The awaits that are being polled, from the outermost.
    awaits: RefCell<Vec<OpenAwait>>,
    /// The task that is polled.
    task: Cell<u64>,
    /// Wakers that the waits seen so far hold: of the task or, inside of a member that has a waker of
    /// its own, of that.
    held: Cell<usize>,
    /// Whether a member has a waker that no wait accounts for, or a wait is outside of the loop.
    astray: Cell<bool>,
    /// Whether the future that is polled now was woken, so that it would be polled without the dump.
    woken: Cell<bool>,
    /// The addresses that wakers point to, each with the task that is woken.
    owners: RefCell<Vec<(usize, u64)>>,
    /// Lines whose holder is known by the address that its waker points to.
    holders: RefCell<Vec<Holder>>,
    /// The place of the waiter that was counted last.
    counted: Cell<PlaceInLine>,
}

/// The place of a waiter in a line. It holds for as long as the line is the same.
#[derive(Clone, Copy, Default)]
pub(crate) struct PlaceInLine {
    /// The address of the line, with its first waiter and its length.
    pub(crate) line: (usize, u32, u32),
    pub(crate) waiter: u32,
    pub(crate) ahead: usize,
}

/// The holder of a lock that a task waits for, to be found when all tasks were looked at.
pub(crate) struct Holder {
    pub(crate) waiter: TaskId,
    /// The place of the step in the path of the waiter.
    pub(crate) step: usize,
    waker: usize,
}

/// The state of a collector outside of a bracket.
pub(super) struct OpenBracket {
    at: usize,
    depth: u32,
    awaits: usize,
}

/// Awaits that are nested deeper are polled for a dump, but not shown.
const DEPTH_MAX: u32 = 256;

/// An await that is being polled.
struct OpenAwait {
    location: &'static Location<'static>,
    awaits: &'static str,
    /// `None` if it is nested too deep to be shown.
    bracket: Option<OpenBracket>,
}

/// The accounts of wakers outside of a member.
pub(super) struct Account {
    held: usize,
    woken: bool,
}

impl Collector {
    pub(super) fn is_active(&self) -> bool {
        self.active.get()
    }

    /// Begins to collect the steps of a task, whose wakers point to `address`.
    pub(super) fn begin(&self, task: u64, address: usize) {
        self.active.set(true);
        self.task.set(task);
        self.depth.set(0);
        self.held.set(0);
        self.astray.set(false);
        self.woken.set(false);
        self.steps.borrow_mut().clear();
        self.awaits.borrow_mut().clear();
        self.owners.borrow_mut().push((address, task));
    }

    /// Ends with the steps of a task that has that many wakers.
    pub(super) fn end(&self, wakers: usize) -> Look {
        self.active.set(false);
        Look {
            path: self.steps.borrow_mut().drain(..).collect(),
            accounted: !self.astray.get() && self.held.get() == wakers,
        }
    }

    /// A wait that holds that many wakers of the future that is polled.
    pub(super) fn add(&self, step: Step, wakers: usize) {
        self.held.set(self.held.get() + wakers);
        self.steps.borrow_mut().push((self.depth.get(), step));
    }

    /// As [`add`](Self::add), for a lock that was given to the task with this waker.
    pub(super) fn add_held(&self, step: Step, waker: usize) {
        let waiter = TaskId(self.task.get());
        let step_at = self.steps.borrow().len();
        self.add(step, 1);
        self.holders.borrow_mut().push(Holder {
            waiter,
            step: step_at,
            waker,
        });
    }

    pub(super) fn counted(&self) -> &Cell<PlaceInLine> {
        &self.counted
    }

    /// A group holds a waker of the future that is polled.
    pub(super) fn hold(&self) {
        self.held.set(self.held.get() + 1);
    }

    /// Notes that something outside of the loop may end the wait.
    pub(super) fn go_astray(&self) {
        self.astray.set(true);
    }

    pub(super) fn is_at_top(&self) -> bool {
        self.depth.get() == 0
    }

    pub(super) fn open(&self, step: Step) -> OpenBracket {
        let (at, depth) = (self.steps.borrow().len(), self.depth.get());
        self.steps.borrow_mut().push((depth, step));
        self.depth.set(depth + 1);
        OpenBracket {
            at,
            depth,
            awaits: self.awaits.borrow().len(),
        }
    }

    pub(super) fn close(&self, opened: &OpenBracket, keep: bool) {
        self.depth.set(opened.depth);
        self.awaits.borrow_mut().truncate(opened.awaits);
        if !keep {
            self.steps.borrow_mut().truncate(opened.at);
            let of_task = TaskId(self.task.get());
            let is_gone = |it: &mut Holder| it.waiter == of_task && it.step >= opened.at;
            let mut holders = self.holders.borrow_mut();
            while holders.pop_if(is_gone).is_some() {}
        }
    }

    pub(super) fn open_await(&self, location: &'static Location<'static>, awaits: &'static str) {
        let is_shown = self.depth.get() < DEPTH_MAX;
        let bracket = is_shown.then(|| self.open(Step::At { location, awaits }));
        self.awaits.borrow_mut().push(OpenAwait {
            location,
            awaits,
            bracket,
        });
    }

    /// Closes the innermost await of this place. One that is still open inside of it was left by a
    /// panic, which a future between the two has caught: its steps are taken back.
    pub(super) fn close_await(&self, location: &'static Location<'static>, is_pending: bool) {
        let is_it = |it: &OpenAwait| it.location == location;
        let Some(at) = self.awaits.borrow().iter().rposition(is_it) else {
            return;
        };
        let left = self.awaits.borrow_mut().drain(at + 1..).next();
        if let Some(bracket) = left.and_then(|left| left.bracket) {
            self.close(&bracket, false);
        }
        let closed = self.awaits.borrow_mut().pop();
        if let Some((bracket, awaits)) = closed.and_then(|it| Some((it.bracket?, it.awaits))) {
            let is_empty = self.steps.borrow().len() == bracket.at + 1;
            if is_pending && is_empty {
                self.add(Step::Foreign { name: awaits }, 0);
            }
            self.close(&bracket, is_pending);
        }
    }

    /// Begins the account of a member with a waker of its own, which points to `address`.
    pub(super) fn begin_member(&self, address: usize, woken: bool) -> Account {
        self.owners.borrow_mut().push((address, self.task.get()));
        Account {
            held: self.held.replace(0),
            woken: self.woken.replace(woken),
        }
    }

    /// Ends the account of a member that has that many wakers; `None` if the member is done.
    pub(super) fn end_member(&self, outside: Account, wakers: Option<usize>) {
        let held = self.held.replace(outside.held);
        self.woken.set(outside.woken);
        if wakers.is_some_and(|wakers| wakers != held) {
            self.astray.set(true);
        }
    }

    /// Whether the future that is polled now was woken.
    pub(super) fn is_woken(&self) -> bool {
        self.woken.get()
    }

    /// The holders of locks, with the task of each, if it was looked at; and an empty collector.
    pub(super) fn take_holders(&self) -> Vec<(Holder, TaskId)> {
        let owners = BinaryHeap::from(self.owners.take()).into_sorted_vec();
        let owner = |holder: &Holder| {
            let at = owners.binary_search_by_key(&holder.waker, |&(address, _)| address);
            at.ok().map(|at| TaskId(owners[at].1))
        };
        self.steps.take();
        self.counted.take();
        let holders = self.holders.take().into_iter();
        holders
            .filter_map(|holder| owner(&holder).map(|owner| (holder, owner)))
            .collect()
    }
}
