//! The text form of a tree.

use std::collections::BinaryHeap;
use std::fmt::{self, Write};
use std::time::{Duration, Instant};

use super::names::{bare, short};
use super::tree::{TaskState, TaskTree, TaskView};
use crate::mix::mix;
use crate::task::{Step, TaskId};

impl fmt::Display for TaskTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for cycle in self.cycles() {
            f.write_str("DEADLOCK: ")?;
            for &id in &cycle {
                write!(f, "{} -> ", self.label(id))?;
            }
            writeln!(f, "{}", self.label(cycle[0]))?;
        }
        let mut before = "NO WAKER IS LEFT of ";
        for task in self.unwakeable() {
            write!(f, "{before}{}", self.label(task.id()))?;
            before = ", ";
        }
        if before == ", " {
            writeln!(f)?;
        }
        for (at, (task, count)) in self.alike().into_iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            self.write_task(task, count, f)?;
        }
        Ok(())
    }
}

impl TaskTree {
    /// The words of the `Display` form for one step of a task of this tree.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// coro::run(async {
    ///     let napping = coro::spawn(coro::sleep(Duration::from_secs(60)));
    ///     coro::yield_now().await;
    ///     let tree = coro::LoopHandle::current().dump().await;
    ///     let (_, last) = tree.task(napping.id()).unwrap().path().last().unwrap();
    ///     assert!(tree.describe(last).starts_with("a timer, due in "));
    /// });
    /// ```
    pub fn describe(&self, step: &Step) -> String {
        describe(step, self)
    }

    /// A name with its number, unless the name has it.
    fn label(&self, id: TaskId) -> String {
        match self.task(id).and_then(TaskView::given_name) {
            Some(name) if id != TaskId::MAIN => format!("{name} #{id}"),
            _ => self.name_of(id),
        }
    }

    /// The first of all tasks that look alike, with their number.
    fn alike(&self) -> Vec<(&TaskView, usize)> {
        let texts: Vec<String> = self.tasks.iter().map(|task| likeness(task, self)).collect();
        let firsts = firsts(&texts);
        let mut counts = vec![0; texts.len()];
        for &first in &firsts {
            counts[first] += 1;
        }
        let mut found = Vec::new();
        for (task, count) in self.tasks.iter().zip(counts) {
            if count > 0 {
                found.push((task, count));
            }
        }
        found
    }

    fn write_task(&self, task: &TaskView, count: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label(task.id()))?;
        if count > 1 {
            write!(f, "  x {}", with_commas(count))?;
        }
        write!(f, "  {}", state(task.state()))?;
        if let Some(waited) = task.waited() {
            write!(f, ", for {}", round(waited))?;
        }
        write!(f, "  spawned at {}", task.spawned_at())?;
        if let Some(by) = task.spawned_by() {
            write!(f, " by {}", self.label(by))?;
        }
        writeln!(f)?;
        for (depth, step) in task.path() {
            writeln!(
                f,
                "{:indent$}{}",
                "",
                describe(step, self),
                indent = 2 * depth + 2
            )?;
        }
        if task.path.is_empty()
            && matches!(task.state(), TaskState::Waiting | TaskState::Unwakeable)
        {
            writeln!(f, "  {} (it does not report)", short(task.future()))?;
        }
        Ok(())
    }
}

/// For each text, the place of the first one that is equal to it.
fn firsts(texts: &[String]) -> Vec<usize> {
    let mut sums = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        sums.push((sum(text) as usize, at as u64));
    }
    // A fifth of the code of a quick sort, and of pairs of the types that the collector sorts: so there is
    // one copy of it.
    let sums = BinaryHeap::from(sums).into_sorted_vec();
    let mut firsts: Vec<usize> = (0..texts.len()).collect();
    for pair in sums.windows(2) {
        let [(sum_before, before), (sum, at)] = pair else {
            continue;
        };
        let (before, at) = (*before as usize, *at as usize);
        if sum == sum_before && texts[before] == texts[at] {
            firsts[at] = firsts[before];
        }
    }
    firsts
}

/// A number that hardly two of the texts have in common.
fn sum(text: &str) -> u64 {
    let mut sum = 0;
    for &byte in text.as_bytes() {
        sum = mix(sum ^ u64::from(byte));
    }
    sum
}

/// The parts of a task that two tasks must share to be shown as one.
fn likeness(task: &TaskView, tree: &TaskTree) -> String {
    let mut text = format!("{} {}", state(task.state()), task.spawned_at());
    if let Some(by) = task.spawned_by() {
        let _ = write!(text, " by {by}");
    }
    if let Some(name) = task.given_name() {
        let _ = write!(text, " named {name}");
    }
    for (depth, step) in &task.path {
        let _ = write!(text, "\n{depth} ");
        push_likeness(step, tree, &mut text);
    }
    text
}

/// A step without the numbers that differ between tasks that do the same.
fn push_likeness(step: &Step, tree: &TaskTree, text: &mut String) {
    let _ = match step {
        Step::At { location, awaits } => write!(text, "{location} {awaits}"),
        Step::Timer { .. } => text.write_str("timer"),
        Step::Readable { kind, .. } => write!(text, "read {kind}"),
        Step::Writable { kind, .. } => write!(text, "write {kind}"),
        Step::Line {
            primitive, held_by, ..
        } => write!(text, "{primitive} {held_by:?}"),
        Step::Child { .. } => text.write_str("child"),
        Step::Foreign { name } | Step::OtherThread { object: name } => write!(text, "of {name}"),
        other => text.write_str(&describe(other, tree)),
    };
}

pub(super) fn state(state: TaskState) -> &'static str {
    match state {
        TaskState::Ready => "is ready to run",
        TaskState::Waiting => "waits",
        TaskState::Unwakeable => "waits, but NO WAKER IS LEFT",
        TaskState::Cancelled => "is cancelled",
    }
}

/// The line of a step.
pub(super) fn describe(step: &Step, tree: &TaskTree) -> String {
    match step {
        Step::At { location, awaits } => format!("{location}  awaits {}", short(awaits)),
        Step::Together { group, any: false } => format!("{group}, of all"),
        Step::Together { group, any: true } => format!("{group}, of any"),
        Step::Member { number, spawned_at } => match spawned_at {
            Some(place) => format!("[{number}] spawned at {place}"),
            None => format!("[{number}]"),
        },
        Step::During { operation, object } => format!("{operation} {object}"),
        Step::Timer { due } => timer(*due, tree.taken_at),
        Step::Readable { fd, kind, peer } => {
            format!("fd {fd} ({}{}), to read", bare(kind), address(peer))
        }
        Step::Writable { fd, kind, peer } => {
            format!("fd {fd} ({}{}), to write", bare(kind), address(peer))
        }
        Step::Task { id, spawned_at } => {
            format!("the end of {}, spawned at {spawned_at}", tree.label(*id))
        }
        Step::Line {
            primitive,
            ahead,
            held_by,
        } => line(primitive, *ahead, held_by.map(|id| tree.label(id))),
        Step::Notice { of } => (*of).to_owned(),
        Step::Job { made_at } => format!("a job on a thread, made at {made_at}"),
        Step::Child { pid } => format!("the end of process {pid}"),
        Step::Signal { kind } => format!("the signal {kind}"),
        Step::OtherThread { object } => format!("{}, which other threads may have", short(object)),
        Step::Foreign { name } => format!("{} (it does not report)", short(name)),
    }
}

fn timer(due: Option<Instant>, now: Instant) -> String {
    match due.map(|due| (due.checked_duration_since(now), now.duration_since(due))) {
        None => "a timer".into(),
        Some((Some(left), _)) => format!("a timer, due in {}", round(left)),
        Some((None, late)) => format!("a timer, due {} ago", round(late)),
    }
}

fn line(primitive: &str, ahead: usize, held_by: Option<String>) -> String {
    let mut out = bare(primitive).to_owned();
    match ahead {
        0 => out.push_str(", first in line"),
        1 => out.push_str(", behind 1 waiter"),
        n => {
            let _ = write!(out, ", behind {} waiters", with_commas(n));
        }
    }
    if let Some(holder) = held_by {
        let _ = write!(out, ", held by {holder}");
    }
    out
}

fn address(peer: &Option<Box<std::net::SocketAddr>>) -> String {
    peer.as_ref()
        .map_or_else(String::new, |peer| format!(" to {peer}"))
}

/// A duration with two digits or three.
fn round(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{duration:.1?}"),
        secs @ 1..=59 => format!("{}.{} s", secs, duration.subsec_millis() / 100),
        secs @ 60..=3599 => format!("{} min {} s", secs / 60, secs % 60),
        secs => format!("{} h {} min", secs / 3600, secs / 60 % 60),
    }
}

fn with_commas(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
