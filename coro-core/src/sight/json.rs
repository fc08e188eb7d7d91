//! The JSON form of a tree, written by hand.

use std::fmt::Write;

use super::names::short;
use super::text::{describe, state};
use super::tree::{TaskTree, TaskView};
use crate::task::Step;

impl TaskTree {
    /// The tree as JSON: an object with `tasks`, `cycles` and `taken_in_ns`.
    ///
    /// Each task has `id`, `name`, `state`, `spawned_at`, `spawned_by` (a number or `null`),
    /// `future`, `waited_ns` (a number or `null`) and `path`. Each step of a path has `depth` and
    /// `text`, the line of the text form; an await has `at` and `awaits` too, and a wait for a task
    /// or a lock has `task`, the number of the task that it needs.
    #[inline]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\"tasks\":[");
        for (at, task) in self.tasks().iter().enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            self.push_task(task, &mut out);
        }
        out.push_str("],\"cycles\":[");
        for (at, cycle) in self.cycles().iter().enumerate() {
            let ids: Vec<String> = cycle.iter().map(ToString::to_string).collect();
            let comma = if at > 0 { "," } else { "" };
            let _ = write!(out, "{comma}[{}]", ids.join(","));
        }
        let _ = write!(out, "],\"taken_in_ns\":{}}}", self.taken_in().as_nanos());
        out
    }

    #[inline]
    fn push_task(&self, task: &TaskView, out: &mut String) {
        let by = task.spawned_by().map_or("null".into(), |id| id.to_string());
        let waited = task.waited();
        let waited = waited.map_or("null".into(), |waited| waited.as_nanos().to_string());
        let _ = write!(
            out,
            "{{\"id\":{},\"name\":{},\"state\":{},\"spawned_at\":{},\"spawned_by\":{by},\
             \"future\":{},\"waited_ns\":{waited},\"path\":[",
            task.id(),
            quoted(&task.name()),
            quoted(state(task.state())),
            quoted(&task.spawned_at().to_string()),
            quoted(&short(task.future())),
        );
        for (at, (depth, step)) in task.path().enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            let text = quoted(&describe(step, self));
            let _ = write!(out, "{{\"depth\":{depth},\"text\":{text}");
            push_fields(step, out);
            out.push('}');
        }
        out.push_str("]}");
    }
}

#[inline]
fn push_fields(step: &Step, out: &mut String) {
    let _ = match step {
        Step::At { location, awaits } => write!(
            out,
            ",\"at\":{},\"awaits\":{}",
            quoted(&location.to_string()),
            quoted(&short(awaits))
        ),
        Step::Task { id, .. }
        | Step::Line {
            held_by: Some(id), ..
        } => write!(out, ",\"task\":{id}"),
        _ => Ok(()),
    };
}

/// A text as a string of JSON.
#[inline]
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
