//! The cycles of a tree: tasks that wait for one another.

use std::collections::HashMap;

use super::tree::{TaskTree, TaskView};
use crate::task::{Step, TaskId};

impl TaskTree {
    /// The circles of tasks in which each waits for the next, and the last for the first.
    ///
    /// A task waits for another if it awaits its end, or a lock that the other holds. A guard that was
    /// passed on counts as held by the task that got the lock. Waits that are
    /// one of several ways to go on are left out.
    pub fn cycles(&self) -> Vec<Vec<TaskId>> {
        find(self)
    }
}

/// The cycles, each from its task with the least number on.
fn find(tree: &TaskTree) -> Vec<Vec<TaskId>> {
    let edges: HashMap<TaskId, Vec<TaskId>> = tree
        .tasks()
        .iter()
        .map(|task| (task.id(), needed(task)))
        .filter(|(_, needed)| !needed.is_empty())
        .collect();
    let mut found = Vec::new();
    let mut over = HashMap::new();
    for task in tree.tasks() {
        walk(task.id(), &edges, &mut Vec::new(), &mut over, &mut found);
    }
    found
}

/// Goes along the edges from a task, depth first and without recursion: chains of waits can be as long
/// as there are tasks.
fn walk(
    from: TaskId,
    edges: &HashMap<TaskId, Vec<TaskId>>,
    way: &mut Vec<(TaskId, usize)>,
    over: &mut HashMap<TaskId, bool>,
    found: &mut Vec<Vec<TaskId>>,
) {
    if over.insert(from, false).is_some() {
        over.insert(from, true);
        return;
    }
    way.push((from, 0));
    while let Some((at, next)) = way.last_mut() {
        let Some(&to) = edges.get(at).and_then(|to| to.get(*next)) else {
            over.insert(*at, true);
            way.pop();
            continue;
        };
        *next += 1;
        match over.get(&to) {
            Some(true) => {}
            Some(false) => found.extend(cycle(way, to)),
            None => {
                over.insert(to, false);
                way.push((to, 0));
            }
        }
    }
}

/// The end of the way from `to` on, turned so that the least number comes first.
fn cycle(way: &[(TaskId, usize)], to: TaskId) -> Option<Vec<TaskId>> {
    let start = way.iter().position(|&(task, _)| task == to)?;
    let mut cycle: Vec<TaskId> = way[start..].iter().map(|&(task, _)| task).collect();
    let least = cycle.iter().enumerate().min_by_key(|&(_, task)| *task)?.0;
    cycle.rotate_left(least);
    Some(cycle)
}

/// The tasks without which this one cannot go on. A wait under a group that needs only one of its
/// members is left out, and so are several waits under one await: a `select` may have made them.
fn needed(task: &TaskView) -> Vec<TaskId> {
    let mut needed = Vec::new();
    let mut doubtful_below = None;
    for (at, (depth, step)) in task.path.iter().enumerate() {
        if doubtful_below.is_some_and(|below| *depth > below) {
            continue;
        }
        doubtful_below = None;
        match step {
            Step::Together { any: true, .. } => doubtful_below = Some(*depth),
            Step::At { .. } if children(task, at) > 1 => doubtful_below = Some(*depth),
            Step::Task { id, .. } => needed.push(*id),
            Step::Line {
                held_by: Some(holder),
                ..
            } => needed.push(*holder),
            _ => {}
        }
    }
    needed
}

/// How many steps lie directly under one.
fn children(task: &TaskView, at: usize) -> usize {
    let depth = task.path[at].0;
    let under = task.path[at + 1..].iter().take_while(|step| step.0 > depth);
    under.filter(|step| step.0 == depth + 1).count()
}
