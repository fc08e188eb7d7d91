//! The listing of `coro ps`: a table of tasks for each loop.

use std::fmt::Write;

use crate::process::Process;
use crate::tasks::{Loop, Snapshot, Task};

/// Names that are longer are cut: they may come from a peer.
const NAME_MAX: usize = 60;

/// A line that says whose tasks follow.
pub(crate) fn heading(process: &Process, snapshot: &Snapshot) -> String {
    let mut text = format!(
        "process {} ({})\n",
        process.id,
        printable(&process.program.to_string_lossy())
    );
    if snapshot.loops.is_empty() {
        text.push_str("no event loop is open\n");
    }
    if !snapshot.is_exact {
        text.push_str(
            "the tasks changed while they were read: some may be missing, others may be over\n",
        );
    }
    text
}

/// A line about a loop.
pub(crate) fn about(process: &Process, it: &Loop) -> String {
    let thread = match it.thread {
        0 => String::from("loop on an unknown thread"),
        thread => format!(
            "loop on thread {thread}, {}",
            process.state_of_thread(thread)
        ),
    };
    let tasks = match it.tasks.len() {
        1 => String::from("1 task"),
        tasks => format!("{tasks} tasks"),
    };
    match it.ready {
        0 => format!("{thread}: {tasks}"),
        ready => format!("{thread}: {tasks}, {ready} in the ready queue"),
    }
}

/// The table of all tasks.
pub(crate) fn table(process: &Process, snapshot: &Snapshot) -> String {
    let mut text = heading(process, snapshot);
    for it in &snapshot.loops {
        text.push_str(&about(process, it));
        text.push('\n');
        let rows: Vec<[String; 4]> = it.tasks.iter().map(row).collect();
        let head = ["ID", "STATE", "NAME", "SPAWNED AT"].map(String::from);
        let width = |column: usize| {
            let cells = rows
                .iter()
                .chain([&head])
                .map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let (id, state, name) = (width(0), width(1), width(2));
        for [a, b, c, d] in [&head].into_iter().chain(&rows) {
            let _ = writeln!(text, "{a:>id$}  {b:<state$}  {c:<name$}  {d}"); // never fails
        }
    }
    text
}

fn row(task: &Task) -> [String; 4] {
    let id = match task.id {
        0 => String::from("-"),
        id => id.to_string(),
    };
    let place = task
        .spawned_at
        .as_deref()
        .map_or_else(|| String::from("?"), printable);
    [id, task.state.word().into(), name(task), place]
}

pub(crate) fn name(task: &Task) -> String {
    match &task.name {
        Some(name) if name.chars().count() > NAME_MAX => {
            let begin: String = name.chars().take(NAME_MAX).collect();
            printable(&begin) + "..."
        }
        Some(name) => printable(name),
        None => format!("Task-{}", task.id),
    }
}

/// A text of the process without characters that a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    let mut printed = String::new();
    for c in text.chars() {
        match c.is_control() || is_directing(c) {
            true => printed.extend(c.escape_default()),
            false => printed.push(c),
        }
    }
    printed
}

/// Whether the character changes the direction of text, or is no character by itself.
fn is_directing(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\r\n"), "a\\u{1b}[2Jb\\r\\n");
        assert_eq!(printable("a\u{202E}b"), "a\\u{202e}b");
        assert_eq!(printable("grüße"), "grüße");
    }
}
