//! The sequence chart of a run as text: lanes side by side, time downwards.

use std::fmt::Write;

use super::lanes::{Lanes, Row, rows};
use crate::choices::TraceLine;

/// The text has at most this number of lines.
const LINES_MAX: usize = 40;

/// The columns of a lane, the shortest and the longest.
const LANE: (usize, usize) = (10, 24);

/// With more lanes than this the text names them in its lines only.
const LANES_MAX: usize = 8;

/// The chart as text: the last lines, which lead up to the failure.
pub(super) fn text(trace: &[TraceLine]) -> String {
    let (lanes, rows) = rows(trace);
    let chart = TextChart::new(lanes);
    let skipped = rows.len().saturating_sub(LINES_MAX - 2);
    let mut lines = vec![chart.heading()];
    if skipped > 0 {
        let dots = "..";
        lines.push(format!(
            "{dots:>14}  ({skipped} earlier lines are left out)"
        ));
    }
    lines.extend(rows[skipped..].iter().map(|row| chart.line(row)));
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

struct TextChart {
    lanes: Lanes,
    /// How many lanes have a column: all or none.
    columns: usize,
    width: usize,
}

impl TextChart {
    fn new(lanes: Lanes) -> Self {
        let width = lanes.names().map(|name| name.chars().count() + 2).max();
        TextChart {
            columns: if lanes.len() <= LANES_MAX {
                lanes.len()
            } else {
                0
            },
            width: width.unwrap_or(0).clamp(LANE.0, LANE.1),
            lanes,
        }
    }

    fn heading(&self) -> String {
        let time = "time";
        let mut line = format!("{time:>14}  ");
        for name in self.lanes.names().take(self.columns) {
            let name: String = name.chars().take(self.width - 1).collect();
            let _ = write!(line, "{name:<0$}", self.width); // a String takes it
        }
        line
    }

    fn line(&self, row: &Row) -> String {
        let mut line = format!("{:>14}  {}", milliseconds(row.now), self.drawing(row));
        if self.columns == 0 {
            let ends = [row.lane, row.to].into_iter().flatten();
            let names = ends.filter_map(|lane| self.lanes.names().nth(lane));
            let names: Vec<&str> = names.collect();
            if !names.is_empty() {
                let _ = write!(line, "{}: ", names.join(" -> "));
            }
        }
        line.push_str(&row.label);
        if self.columns == 0 || row.is_late {
            line.push_str(&row.detail);
        }
        line
    }

    /// The lanes of one line, with a mark or an arrow.
    fn drawing(&self, row: &Row) -> String {
        let (lanes, width) = (self.columns, self.width);
        let mut cells: Vec<char> = vec![' '; lanes * width];
        for lane in 0..lanes {
            cells[lane * width] = '|';
        }
        let inside =
            |lane: Option<usize>| lane.filter(|&lane| lane < lanes).map(|lane| lane * width);
        match (inside(row.lane), inside(row.to)) {
            (Some(from), Some(to)) if from != to => {
                let (left, right) = (from.min(to), from.max(to));
                cells[left + 1..right].fill('-');
                let head = if to > from { right - 1 } else { left + 1 };
                cells[head] = match (row.is_lost, to > from) {
                    (true, _) => 'x',
                    (false, true) => '>',
                    (false, false) => '<',
                };
            }
            (Some(at), _) => cells[at] = '*',
            _ => {}
        }
        cells.into_iter().collect()
    }
}

pub(super) fn milliseconds(nanos: u64) -> String {
    format!("{}.{:03} ms", nanos / 1_000_000, nanos / 1_000 % 1_000)
}
