//! The sequence chart of a run: lanes side by side, time downwards; as text and as SVG.

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
    let all = lanes.clone();
    let lanes = if lanes.len() <= LANES_MAX {
        lanes
    } else {
        Lanes::default()
    };
    let width = lanes.names().map(|name| name.chars().count() + 2).max();
    let width = width.unwrap_or(0).clamp(LANE.0, LANE.1);
    let room = LINES_MAX - 2;
    let skipped = rows.len().saturating_sub(room);
    let mut text = format!("{:>14}  ", "time");
    for name in lanes.names() {
        let name: String = name.chars().take(width - 1).collect();
        let _ = write!(text, "{name:<width$}");
    }
    trim_end(&mut text);
    if skipped > 0 {
        let _ = write!(
            text,
            "\n{:>14}  ({skipped} earlier lines are left out)",
            ".."
        );
    }
    for row in &rows[skipped..] {
        text.push('\n');
        let _ = write!(text, "{:>14}  ", milliseconds(row.now));
        text.push_str(&drawing(row, lanes.len(), width));
        if lanes.len() == 0 {
            let ends = [row.lane, row.to].into_iter().flatten();
            let names: Vec<&str> = ends.filter_map(|lane| all.names().nth(lane)).collect();
            let _ = write!(text, "{}: ", names.join(" -> "));
        }
        text.push_str(&row.label);
        if lanes.len() == 0 || row.is_late {
            text.push_str(&row.detail);
        }
        trim_end(&mut text);
    }
    text
}

/// The lanes of one line, with a mark or an arrow.
fn drawing(row: &Row, lanes: usize, width: usize) -> String {
    let mut cells: Vec<char> = vec![' '; lanes * width];
    for lane in 0..lanes {
        cells[lane * width] = '|';
    }
    let inside = |lane: Option<usize>| lane.filter(|&lane| lane < lanes).map(|lane| lane * width);
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

fn trim_end(text: &mut String) {
    text.truncate(text.trim_end().len());
}

fn milliseconds(nanos: u64) -> String {
    format!("{}.{:03} ms", nanos / 1_000_000, nanos / 1_000 % 1_000)
}

/// The distance of two lanes, and of two instants, in units of the picture.
const ACROSS: usize = 180;
const DOWN: usize = 22;
const LEFT: usize = 110;
const TOP: usize = 40;

/// The chart as a picture.
pub(super) fn svg(trace: &[TraceLine]) -> String {
    let (lanes, rows) = rows(trace);
    let ends = rows.iter().filter_map(|row| row.arrives);
    let mut instants: Vec<(u64, usize)> = rows.iter().map(|row| (row.now, row.index)).collect();
    instants.extend(ends.map(|arrives| (arrives, usize::MAX)));
    instants.sort_unstable();
    instants.dedup();
    let y = |instant: (u64, usize)| TOP + DOWN * (1 + instants.partition_point(|at| *at < instant));
    let x = |lane: usize| LEFT + ACROSS * lane;
    let (width, height) = (
        x(lanes.len()) + 2 * ACROSS,
        y((u64::MAX, usize::MAX)) + DOWN,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <defs><marker id=\"head\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"4\" \
         orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\"/></marker></defs>\n"
    );
    for (lane, name) in lanes.names().enumerate() {
        let (x, bottom) = (x(lane), height - DOWN);
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{TOP}\" text-anchor=\"middle\">{}</text>\
             <path d=\"M{x},{} V{bottom}\" stroke=\"#999\"/>",
            escaped(name),
            TOP + 8
        );
    }
    for row in &rows {
        let top = y((row.now, row.index));
        let _ = write!(
            svg,
            "<text x=\"4\" y=\"{}\">{}</text>",
            top + 4,
            milliseconds(row.now)
        );
        let label = escaped(&row.label);
        match (row.lane, row.to) {
            (Some(from), Some(to)) if from != to => {
                let bottom = row.arrives.map_or(top, |arrives| y((arrives, usize::MAX)));
                let style = if row.is_lost {
                    "stroke=\"#c00\" stroke-dasharray=\"4\""
                } else {
                    "stroke=\"#000\""
                };
                let _ = writeln!(
                    svg,
                    "<path d=\"M{},{top} L{},{bottom}\" {style} marker-end=\"url(#head)\"/>\
                     <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
                    x(from),
                    x(to),
                    (x(from) + x(to)) / 2,
                    (top + bottom) / 2 - 3
                );
            }
            (Some(lane), _) => {
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{}\" cy=\"{top}\" r=\"4\"/><text x=\"{}\" y=\"{}\">{label}</text>",
                    x(lane),
                    x(lane) + 10,
                    top + 4
                );
            }
            _ => {
                let _ = writeln!(
                    svg,
                    "<text x=\"{LEFT}\" y=\"{}\" font-style=\"italic\">{label}</text>",
                    top + 4
                );
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
