//! The picture of a tree, in the language of Graphviz.

use std::fmt::Write;

use super::text::{describe, state};
use super::tree::{TaskState, TaskTree, TaskView};
use crate::task::Step;

impl TaskTree {
    /// The tree as a graph for Graphviz: `dot -Tsvg` makes a picture of it.
    ///
    /// Tasks are boxes; groups such as scopes are ellipses below their task, with the waits of their
    /// members. An arrow goes from each task to the tasks that it waits for, with the line of the
    /// wait, and a dotted one from each task to the tasks that it has spawned.
    #[inline]
    pub fn to_dot(&self) -> String {
        let mut out = String::from(
            "digraph tasks {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n  \
             edge [fontname=\"sans-serif\", fontsize=11];\n",
        );
        for task in self.tasks() {
            let color = match task.state() {
                TaskState::Unwakeable => ", color=red",
                TaskState::Ready => ", color=green",
                _ => "",
            };
            let label = format!("{} #{}\n{}", task.name(), task.id(), state(task.state()));
            let _ = writeln!(out, "  t{} [label={}{color}];", task.id(), quoted(&label));
            if let Some(by) = task.spawned_by().filter(|&by| self.task(by).is_some()) {
                let _ = writeln!(out, "  t{by} -> t{} [style=dotted];", task.id());
            }
            self.push_path(task, &mut out);
        }
        out.push_str("}\n");
        out
    }

    /// The groups and waits of a task, each below the group that it lies under.
    #[inline]
    fn push_path(&self, task: &TaskView, out: &mut String) {
        let mut above: Vec<(usize, String)> = vec![(0, format!("t{}", task.id()))];
        let mut place = String::new();
        for (at, (depth, step)) in task.path().enumerate() {
            while above.len() > 1 && above.last().is_some_and(|(other, _)| *other > depth) {
                above.pop();
            }
            let from = above
                .last()
                .map(|(_, name)| name.clone())
                .unwrap_or_default();
            let this = format!("t{}_{at}", task.id());
            let label = quoted(&format!("{}{place}", folded(&describe(step, self))));
            let _ = match step {
                Step::At { .. } => {
                    place = format!("\n{}", describe(step, self));
                    Ok(())
                }
                Step::Member { .. } => {
                    place.clear();
                    Ok(())
                }
                Step::During { .. } => Ok(()),
                Step::Together { .. } => {
                    above.push((depth + 1, this.clone()));
                    writeln!(
                        out,
                        "  {this} [shape=ellipse, label={label}];\n  {from} -> {this};"
                    )
                }
                Step::Task { id, .. }
                | Step::Line {
                    held_by: Some(id), ..
                } if self.task(*id).is_some() => {
                    writeln!(out, "  {from} -> t{id} [label={label}];")
                }
                _ => writeln!(
                    out,
                    "  {this} [shape=plain, label={label}];\n  {from} -> {this};"
                ),
            };
        }
    }
}

/// A description on lines that are short enough for a label.
#[inline]
fn folded(text: &str) -> String {
    text.replace(", ", ",\n")
}

#[inline]
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\n', "\\n"))
}
