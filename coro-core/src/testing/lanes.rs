//! The `Lanes` and rows of a sequence chart, from the trace of a run.

use crate::choices::{TraceEvent, TraceLine};

/// The names at the head of a chart, in the order in which they occur.
#[derive(Clone, Default)]
pub(super) struct Lanes(Vec<String>);

impl Lanes {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn of(&mut self, name: &str) -> usize {
        let known = self.0.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        })
    }
}

/// One event of a chart.
#[derive(Default)]
pub(super) struct Row {
    /// Its place among the rows.
    pub(super) index: usize,
    pub(super) now: u64,
    pub(super) lane: Option<usize>,
    /// The lane at the other end of an arrow.
    pub(super) to: Option<usize>,
    pub(super) arrives: Option<u64>,
    pub(super) is_lost: bool,
    /// The step was chosen although others were before it.
    pub(super) is_late: bool,
    pub(super) label: String,
    /// The place in the source.
    pub(super) detail: String,
}

impl Row {
    /// Whether a rule of the test has changed the message, or the step was late.
    pub(super) fn is_odd(&self) -> bool {
        self.is_late || self.to.is_some() && self.label.contains(": ")
    }
}

/// Hosts and their messages, if there are any, or else tasks and their steps.
pub(super) fn rows(trace: &[TraceLine]) -> (Lanes, Vec<Row>) {
    let has_messages = trace
        .iter()
        .any(|line| matches!(line.event, TraceEvent::Message { .. }));
    let mut lanes = Lanes::default();
    let mut rows = Vec::new();
    for line in trace {
        if let Some(row) = row(&mut lanes, line, has_messages) {
            let index = rows.len();
            rows.push(Row { index, ..row });
        }
    }
    (lanes, rows)
}

fn row(lanes: &mut Lanes, line: &TraceLine, has_messages: bool) -> Option<Row> {
    let row = Row {
        now: line.now,
        ..Row::default()
    };
    Some(match &line.event {
        TraceEvent::Step { .. } if has_messages => return None,
        TraceEvent::Step {
            name,
            origin,
            lag,
            ready,
        } => Row {
            lane: Some(lanes.of(name)),
            is_late: *lag > 0,
            label: match lag {
                0 => String::new(),
                _ => format!("{name} is {lag} late, of {ready} ready"),
            },
            detail: format!(" ({origin})"),
            ..row
        },
        TraceEvent::Message {
            from,
            to,
            label,
            arrives,
        } => Row {
            lane: Some(lanes.of(from)),
            to: Some(lanes.of(to)),
            arrives: *arrives,
            is_lost: arrives.is_none(),
            label: match arrives {
                None => format!("{label}, lost"),
                Some(at) => format!("{label}, {}", takes(at.saturating_sub(line.now))),
            },
            ..row
        },
        TraceEvent::At { lane, label } => Row {
            lane: Some(lanes.of(lane)),
            label: label.clone(),
            ..row
        },
        TraceEvent::Note(text) => Row {
            label: text.clone(),
            ..row
        },
    })
}

fn takes(nanos: u64) -> String {
    match nanos {
        0 => "at once".to_owned(),
        _ => format!(
            "takes {}.{:03} ms",
            nanos / 1_000_000,
            nanos / 1_000 % 1_000
        ),
    }
}
