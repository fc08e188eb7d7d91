//! The `Alarms`: deadlocks and lost wakers, looked for before the loop sleeps.
//!
//! A loop that is about to sleep without a deadline, a descriptor, a job or a remote handle can be
//! woken only through a waker that something outside of it has. So it takes a dump first. If each
//! waker of each task is accounted for by a wait for another task of this loop, there is none outside,
//! and the loop will sleep for ever.

use std::cell::{Cell, RefCell};

use super::Core;
use crate::report::{ErrorReport, ReportKind};
use crate::sight::TaskTree;
use crate::task::TaskId;

/// A dump may wake tasks; after this many of them in a row the loop sleeps all the same.
const RECHECKS_MAX: u32 = 8;

/// A scan for lost wakers is due after as many sleeps as there are tasks, and no fewer than these.
const SCAN_EVERY_MIN: usize = 16;

#[derive(Default)]
pub(super) struct Alarms {
    /// `None`: as the loop is in debug mode or not, and the library was built for debugging or not.
    wanted: Option<bool>,
    /// Whether a certain deadlock ends the run.
    ends_run: bool,
    /// The tree of a deadlock that has ended the run.
    deadlock: Cell<Option<Box<TaskTree>>>,
    /// A dump has just found that no task is ready.
    checked: Cell<bool>,
    rechecks: Cell<u32>,
    /// Sleeps without a deadline that are not looked into, after a look that was in doubt.
    skipped: Cell<u32>,
    skip_next: Cell<u32>,
    /// A deadlock was reported in this run.
    reported: Cell<bool>,
    sleeps_to_scan: Cell<usize>,
    /// Tasks without a waker that were seen before.
    known_lost: RefCell<Vec<TaskId>>,
}

impl Alarms {
    pub(super) fn new(wanted: Option<bool>, ends_run: bool) -> Self {
        Alarms {
            wanted,
            ends_run,
            ..Alarms::default()
        }
    }

    /// The tree of the deadlock that has ended the run.
    pub(super) fn take_deadlock(&self) -> Option<Box<TaskTree>> {
        self.deadlock.take()
    }
}

impl Core {
    fn has_alarms(&self) -> bool {
        let wanted = self.dumps.alarms.wanted;
        let by_default = cfg!(debug_assertions) || self.scheduler.is_debug();
        self.dumps.alarms.ends_run || wanted.unwrap_or(by_default)
    }

    /// Whether a doubtful deadlock is worth a report.
    fn reports_doubts(&self) -> bool {
        self.dumps
            .alarms
            .wanted
            .unwrap_or(self.scheduler.is_debug())
    }

    /// Called before a sleep. `endless`: nothing that the loop knows of will end it. Gives whether the
    /// loop must not sleep yet, because a dump comes first.
    pub(super) fn looks_before_sleep(&self, endless: bool) -> bool {
        if !self.has_alarms() || !self.scheduler.is_open() {
            return false;
        }
        let alarms = &self.dumps.alarms;
        let look = match endless {
            true => self.is_check_due(),
            false => self.is_a_waker_lost(),
        };
        if look {
            self.ask(Box::new(move |core, tree| core.judge(tree, endless)));
        } else {
            alarms.rechecks.set(0);
        }
        look
    }

    fn is_check_due(&self) -> bool {
        let alarms = &self.dumps.alarms;
        if alarms.checked.take() || !self.has_work() {
            return false;
        }
        match alarms.skipped.get() {
            0 => true,
            skipped => {
                alarms.skipped.set(skipped - 1);
                false
            }
        }
    }

    /// A loop without tasks and without a main future waits to be stopped.
    fn has_work(&self) -> bool {
        self.scheduler.has_tasks() || self.has_main.get()
    }

    /// Whether an idle task that was not seen so before has no waker. It costs a look at each task, so
    /// it is asked once in as many sleeps as there are tasks.
    fn is_a_waker_lost(&self) -> bool {
        let alarms = &self.dumps.alarms;
        if let Some(left) = alarms.sleeps_to_scan.get().checked_sub(1) {
            alarms.sleeps_to_scan.set(left);
            return false;
        }
        let lost = self.scheduler.tasks_without_waker();
        alarms
            .sleeps_to_scan
            .set(lost.looked_at.max(SCAN_EVERY_MIN));
        let mut known = alarms.known_lost.borrow_mut();
        let is_fresh = |task| known.binary_search(task).is_err(); // they are in the order of spawning
        let fresh = lost.tasks.iter().any(is_fresh);
        *known = lost.tasks;
        fresh
    }

    /// Draws the conclusions from a dump.
    fn judge(&self, tree: TaskTree, endless: bool) {
        let alarms = &self.dumps.alarms;
        let rechecks = alarms.rechecks.get() + 1;
        alarms.rechecks.set(rechecks);
        let is_quiet = self.steps_ready() == 0;
        alarms.checked.set(is_quiet || rechecks >= RECHECKS_MAX);
        if !endless {
            return self.report_lost(&tree);
        }
        if !is_quiet || !tree.is_all_waiting() {
            return;
        }
        match tree.is_certainly_stuck() {
            true if alarms.ends_run => {
                alarms.deadlock.set(Some(Box::new(tree)));
                self.stopping.set(true);
            }
            true if tree.is_stuck_by_intent() || alarms.reported.replace(true) => {}
            true => self.report_deadlock("no task will ever go on", &tree),
            false => {
                let skip = alarms.skip_next.get();
                alarms.skipped.set(skip);
                alarms.skip_next.set(skip.saturating_mul(2).max(1));
                if self.reports_doubts() && !alarms.reported.replace(true) {
                    let verdict = "probably no task will ever go on, unless another thread or \
                                   library has a waker";
                    self.report_deadlock(verdict, &tree);
                }
            }
        }
    }

    fn report_deadlock(&self, verdict: &str, tree: &TaskTree) {
        let message = format!("{verdict}\n{tree}");
        self.scheduler
            .report(ErrorReport::new(ReportKind::Deadlock, message));
    }

    fn report_lost(&self, tree: &TaskTree) {
        for task in tree.unwakeable() {
            let message = format!("it waits, but no waker of it is left\n{}", tree.only(task));
            let report = ErrorReport::new(ReportKind::LostWaker, message);
            let report = report.in_task(task.name()).from(task.spawned_at());
            self.scheduler.report(report);
        }
    }
}
