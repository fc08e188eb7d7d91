//! The cycles of a tree: tasks that wait for one another.

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

/// How far the search has come with a task.
#[derive(Clone, Copy, PartialEq)]
enum Reached {
    Never,
    OnTheWay,
    Over,
}

/// The cycles, each from its task with the least number on. Tasks are known by their places in the
/// tree, which are in the order of their numbers.
fn find(tree: &TaskTree) -> Vec<Vec<TaskId>> {
    let tasks = tree.tasks();
    let mut edges = Vec::with_capacity(tasks.len());
    for task in tasks {
        edges.push(needed(task, tree));
    }
    let mut reached = vec![Reached::Never; tasks.len()];
    let mut found = Vec::new();
    for from in 0..tasks.len() {
        walk(from, &edges, &mut reached, &mut |cycle: &[Visit]| {
            let mut ids = Vec::with_capacity(cycle.len());
            push_from_least(cycle, tasks, &mut ids);
            found.push(ids);
        });
    }
    found
}

/// A task on the way, and how many of its edges were followed.
type Visit = (usize, usize);

/// Goes along the edges from a task, depth first and without recursion: chains of waits can be as long
/// as there are tasks.
fn walk(
    from: usize,
    edges: &[Vec<usize>],
    reached: &mut [Reached],
    found: &mut dyn FnMut(&[Visit]),
) {
    if reached[from] != Reached::Never {
        return;
    }
    reached[from] = Reached::OnTheWay;
    let mut way = vec![(from, 0)];
    while let Some((at, next)) = way.last_mut() {
        let Some(&to) = edges[*at].get(*next) else {
            reached[*at] = Reached::Over;
            way.pop();
            continue;
        };
        *next += 1;
        match reached[to] {
            Reached::Over => {}
            Reached::OnTheWay => {
                let start = way.iter().position(|&(task, _)| task == to);
                found(&way[start.unwrap_or(0)..]);
            }
            Reached::Never => {
                reached[to] = Reached::OnTheWay;
                way.push((to, 0));
            }
        }
    }
}

/// The numbers of the tasks of a cycle, turned so that the least comes first.
fn push_from_least(cycle: &[Visit], tasks: &[TaskView], ids: &mut Vec<TaskId>) {
    let mut least = 0;
    for at in 1..cycle.len() {
        if cycle[at].0 < cycle[least].0 {
            least = at;
        }
    }
    for part in [&cycle[least..], &cycle[..least]] {
        for &(task, _) in part {
            ids.push(tasks[task].id());
        }
    }
}

/// The tasks of the tree without which this one cannot go on. A wait under a group that needs only one of its
/// members is left out, and so are several waits under one await: a `select` may have made them.
fn needed(task: &TaskView, tree: &TaskTree) -> Vec<usize> {
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
            Step::Task { id, .. } => needed.extend(tree.place_of(*id)),
            Step::Line {
                held_by: Some(holder),
                ..
            } => needed.extend(tree.place_of(*holder)),
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
