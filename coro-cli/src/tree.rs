//! The text of `coro pstree`: the dumps that the loops have written, or else a tree of who spawned whom.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use crate::door::Answers;
use crate::listing::{about, heading, name, printable};
use crate::process::Process;
use crate::tasks::{Loop, Snapshot, State, Task};

/// No line is indented further.
const DEPTH_MAX: usize = 40;

pub(crate) fn text(process: &Process, snapshot: &Snapshot, answers: &Answers) -> String {
    let mut text = heading(process, snapshot);
    if let Answers::None(reason) = answers
        && !snapshot.loops.is_empty()
    {
        let _ = writeln!(
            text,
            "read from outside, so without the places of waits: {reason}"
        );
    }
    for it in &snapshot.loops {
        text.push_str(&about(process, it));
        text.push('\n');
        match answers {
            Answers::Some(answers) => match answers.get(&it.thread) {
                Some(answer) => {
                    text.extend(
                        answer
                            .lines()
                            .flat_map(|line| [printable(line), "\n".into()]),
                    );
                    continue;
                }
                None => text.push_str(&silence(it)),
            },
            Answers::None(_) => {}
        }
        Forest::of(it).write(&mut text);
    }
    text
}

/// Why a loop of a process whose other loops were asked has not answered.
fn silence(it: &Loop) -> String {
    let running = it.tasks.iter().find(|task| task.state == State::Running);
    let reason = match (it.door, running) {
        (0, _) => String::from("this loop writes no dump of its own, as it was not made to"),
        (_, Some(task)) => format!(
            "the loop does not answer while it is in a step of {}",
            name(task)
        ),
        (_, None) => String::from("the loop does not answer"),
    };
    format!("read from outside, so without the places of waits: {reason}\n")
}

/// The tasks of a loop, below those that have spawned them.
struct Forest<'a> {
    roots: Vec<&'a Task>,
    children: HashMap<u64, Vec<&'a Task>>,
}

impl<'a> Forest<'a> {
    fn of(it: &'a Loop) -> Self {
        let known: HashSet<u64> = it.tasks.iter().map(|task| task.id).collect();
        let mut forest = Forest {
            roots: Vec::new(),
            children: HashMap::new(),
        };
        for task in &it.tasks {
            // A task has a greater number than its parent, so there are no circles.
            let parent = task.parent.filter(|parent| *parent < task.id);
            match parent.filter(|parent| known.contains(parent)) {
                Some(parent) => forest.children.entry(parent).or_default().push(task),
                None => forest.roots.push(task),
            }
        }
        forest
    }

    fn write(&self, text: &mut String) {
        // A stack of its own: a task may have spawned the next a million times in a row.
        let mut rest: Vec<(usize, &[&Task])> = vec![(0, &self.roots)];
        while let Some((depth, tasks)) = rest.pop() {
            let Some((first, others)) = tasks.split_first() else {
                continue;
            };
            let alike = others
                .iter()
                .take_while(|task| self.is_alike(first, task))
                .count();
            rest.push((depth, &others[alike..]));
            self.write_one(first, alike + 1, depth, text);
            if let Some(children) = self.children.get(&first.id) {
                rest.push((depth + 1, children));
            }
        }
    }

    fn write_one(&self, task: &Task, count: usize, depth: usize, text: &mut String) {
        let indent = 2 * depth.min(DEPTH_MAX);
        let place = task
            .spawned_at
            .as_deref()
            .map_or_else(|| String::from("?"), printable);
        let number = match (&task.name, task.id) {
            (None, _) | (_, 0) => String::new(),
            (Some(_), id) => format!(" #{id}"),
        };
        let times = if count > 1 {
            format!("  x {count}")
        } else {
            String::new()
        };
        let (name, state) = (name(task), task.state.word());
        let _ = writeln!(
            text,
            "{:indent$}{name}{number}{times}  {state}  spawned at {place}",
            ""
        );
    }

    /// Whether the two are shown as one: no child is to be shown below one of them.
    fn is_alike(&self, one: &Task, other: &Task) -> bool {
        let has_children = |task: &Task| self.children.contains_key(&task.id);
        one.name == other.name
            && one.state == other.state
            && one.spawned_at == other.spawned_at
            && !has_children(one)
            && !has_children(other)
    }
}
