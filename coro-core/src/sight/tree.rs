//! `TaskTree`, the tasks of a loop as they were at one moment.

use std::panic::Location;
use std::time::{Duration, Instant};

use super::names::find;
use crate::task::{Holder, Look, Step, TaskHandle, TaskId, TaskPhase};

/// The tasks of a loop as they were at one moment, each with the path to the thing that it waits
/// for. Made by [`LoopHandle::dump`](crate::event_loop::LoopHandle::dump).
///
/// Its `Display` form is a text to read: cycles and tasks that no waker can wake come first, then a
/// paragraph for each task, in the order in which they were spawned. Tasks that wait in the same way
/// at the same lines are shown once, with their number.
#[derive(Debug, Clone)]
pub struct TaskTree {
    pub(super) tasks: Vec<TaskView>,
    pub(super) taken_at: Instant,
    taken_in: Duration,
}

/// A task of a [`TaskTree`].
#[derive(Debug, Clone)]
pub struct TaskView {
    id: TaskId,
    name: Option<Box<str>>,
    spawned_at: &'static Location<'static>,
    spawned_by: Option<TaskId>,
    state: TaskState,
    future: &'static str,
    waited: Option<Duration>,
    pub(super) path: Box<[(u32, Step)]>,
    accounted: bool,
}

/// The state of a task in a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskState {
    /// It stands in the queue of the loop, to be polled.
    Ready,
    /// It waits to be woken.
    Waiting,
    /// It waits, but has no waker any more, so nothing will wake it.
    Unwakeable,
    /// It was cancelled, and its future is dropped in its turn.
    Cancelled,
}

impl TaskTree {
    /// The tasks, in the order in which they were spawned. The main future comes first.
    pub fn tasks(&self) -> &[TaskView] {
        &self.tasks
    }

    /// The task with that number, if it is there.
    pub fn task(&self, id: TaskId) -> Option<&TaskView> {
        self.place_of(id).map(|at| &self.tasks[at])
    }

    /// The place of the task with that number, if it is there.
    pub(super) fn place_of(&self, id: TaskId) -> Option<usize> {
        let place = self.tasks.binary_search_by_key(&id, |task| task.id);
        place.ok()
    }

    /// The tasks that wait but have no waker any more: nothing will wake them.
    ///
    /// A task that awaits [`std::future::pending`] is not among them, as it asked for that.
    pub fn unwakeable(&self) -> impl Iterator<Item = &TaskView> {
        let is_lost = |task: &&TaskView| task.state == TaskState::Unwakeable;
        self.tasks.iter().filter(is_lost)
    }

    /// How long the dump took.
    pub fn taken_in(&self) -> Duration {
        self.taken_in
    }

    /// The name of a task, of this tree or an earlier one.
    pub(super) fn name_of(&self, id: TaskId) -> String {
        match self.task(id) {
            Some(task) => task.name(),
            None if id == TaskId::MAIN => "main".into(),
            None => format!("Task-{id}"),
        }
    }

    /// Whether each task waits, and only for others of this loop, so that none will ever go on.
    pub(crate) fn is_certainly_stuck(&self) -> bool {
        let stuck = |task: &TaskView| match task.state {
            TaskState::Waiting => task.accounted,
            TaskState::Unwakeable => true,
            TaskState::Ready | TaskState::Cancelled => false,
        };
        !self.tasks.is_empty() && self.tasks.iter().all(stuck)
    }

    /// Whether a task asked to wait for ever.
    pub(crate) fn is_stuck_by_intent(&self) -> bool {
        self.tasks.iter().any(TaskView::is_pending_for_ever)
    }

    /// The tree of one task alone.
    pub(crate) fn only(&self, task: &TaskView) -> TaskTree {
        TaskTree {
            tasks: vec![task.clone()],
            ..*self
        }
    }

    /// Whether each task waits.
    pub(crate) fn is_all_waiting(&self) -> bool {
        let waits =
            |task: &TaskView| matches!(task.state, TaskState::Waiting | TaskState::Unwakeable);
        !self.tasks.is_empty() && self.tasks.iter().all(waits)
    }
}

impl TaskView {
    /// The task's number. A main future has the number zero.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The name that was given to the task, or else `Task-N` with its number.
    pub fn name(&self) -> String {
        match &self.name {
            Some(name) => name.to_string(),
            None => format!("Task-{}", self.id),
        }
    }

    pub(super) fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where the task was spawned; for a main future, where it is run.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.spawned_at
    }

    /// The task that spawned it. `None` if a callout or another thread did, or code outside of the
    /// loop.
    pub fn spawned_by(&self) -> Option<TaskId> {
        self.spawned_by
    }

    /// The state of the task.
    pub fn state(&self) -> TaskState {
        self.state
    }

    /// The name of the type of its future; for an `async fn`, its path.
    pub fn future(&self) -> &'static str {
        self.future
    }

    /// For how long it has waited, if the loop was
    /// [built](crate::event_loop::Builder::measure_waits) to know.
    pub fn waited(&self) -> Option<Duration> {
        self.waited
    }

    /// The path to the things that it waits for, from its outermost await on. Each step has its
    /// depth: the steps that follow with a greater depth lie under it. It is empty for a task that
    /// was not seen waiting.
    pub fn path(&self) -> impl Iterator<Item = (usize, &Step)> {
        self.path
            .iter()
            .map(|(depth, step)| (*depth as usize, step))
    }

    /// Whether the task asked to wait for ever.
    fn is_pending_for_ever(&self) -> bool {
        let for_ever = |name: &str| find(name, "future::pending::Pending<").is_some();
        self.path.iter().any(|(_, step)| match step {
            Step::Foreign { name } => for_ever(name),
            _ => false,
        }) || for_ever(self.future)
    }
}

/// Puts a tree together, from the looks at the tasks.
pub(crate) struct TreeBuilder {
    begun: Instant,
    tasks: Vec<(TaskHandle, TaskView)>,
}

impl TreeBuilder {
    pub(crate) fn new() -> Self {
        TreeBuilder {
            begun: Instant::now(),
            tasks: Vec::new(),
        }
    }

    /// Adds a task that was looked at, in the order of spawning. `future`: the type of a main future.
    pub(crate) fn add(
        &mut self,
        task: TaskHandle,
        look: Option<Look>,
        future: Option<&'static str>,
    ) {
        let (path, accounted) = match look {
            Some(look) => (look.path, look.accounted),
            None => (Box::default(), false),
        };
        let view = TaskView {
            id: task.id(),
            name: task.given_name(),
            spawned_at: task.origin(),
            spawned_by: task.spawned_by(),
            state: TaskState::Waiting,
            future: future.unwrap_or_else(|| task.future_name()),
            waited: None,
            path,
            accounted,
        };
        self.tasks.push((task, view));
    }

    /// The tree, with the states that the tasks have now. Tasks that have ended are left out.
    pub(crate) fn finish(self, holders: Vec<(Holder, TaskId)>, taken_at: Instant) -> TaskTree {
        let mut tasks = Vec::with_capacity(self.tasks.len());
        for (task, mut view) in self.tasks {
            if let Some(state) = state_of(&task, &view) {
                view.state = state;
                view.waited = task.waited();
                tasks.push(view);
            }
        }
        let mut tree = TaskTree {
            tasks,
            taken_at,
            taken_in: Duration::ZERO,
        };
        for (holder, owner) in holders {
            tree.set_holder(&holder, owner);
        }
        tree.taken_in = self.begun.elapsed();
        tree
    }
}

impl TaskTree {
    fn set_holder(&mut self, holder: &Holder, owner: TaskId) {
        let waiter = self.place_of(holder.waiter);
        let path = waiter.map(|at| &mut self.tasks[at].path);
        let step = path.and_then(|path| path.get_mut(holder.step));
        if let Some((_, Step::Line { held_by, .. })) = step {
            *held_by = Some(owner);
        }
    }
}

fn state_of(task: &TaskHandle, view: &TaskView) -> Option<TaskState> {
    let (phase, cancelled) = task.phase();
    match phase {
        TaskPhase::Finished => None,
        _ if cancelled => Some(TaskState::Cancelled),
        TaskPhase::Queued | TaskPhase::Running => Some(TaskState::Ready),
        TaskPhase::Idle if task.wakers() == 0 && !view.is_pending_for_ever() => {
            Some(TaskState::Unwakeable)
        }
        TaskPhase::Idle => Some(TaskState::Waiting),
    }
}
