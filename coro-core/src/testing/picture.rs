//! The sequence chart of a run as a picture, in SVG.

use std::fmt::{Arguments, Write};

use super::chart::milliseconds;
use super::lanes::{Lanes, Row, rows};
use crate::choices::TraceLine;

/// The distance of two lanes, and of two instants, in units of the picture.
const ACROSS: usize = 140;
const DOWN: usize = 18;

/// The margins for the times, and for the names.
const LEFT: usize = 130;
const TOP: usize = 28;

/// The width of a letter, about.
const LETTER: usize = 7;

/// The colours of an event that the plainest run does not have, and of a message that is lost.
const ODD: &str = "#b35900";
const LOST: &str = "#c00";

/// A picture that is being drawn.
struct Picture {
    svg: String,
    /// The instants from top to bottom, each with the row that begins at it.
    instants: Vec<Instant>,
    height: usize,
    /// Where the labels begin, right of all lanes.
    labels: usize,
    /// The time that was written last.
    written: Option<u64>,
}

/// Virtual time, and the row that begins then. A message that arrives then comes after all rows.
type Instant = (u64, usize);

const ARRIVAL: usize = usize::MAX;

pub(super) fn svg(trace: &[TraceLine]) -> String {
    let (lanes, rows) = rows(trace);
    let mut picture = Picture::new(&lanes, &rows);
    for (lane, name) in lanes.names().enumerate() {
        picture.draw_lane(lane, name);
    }
    for row in &rows {
        picture.draw_row(row);
    }
    picture.svg.push_str("</svg>\n");
    picture.svg
}

fn x(lane: usize) -> usize {
    LEFT + ACROSS * lane
}

impl Picture {
    fn new(lanes: &Lanes, rows: &[Row]) -> Self {
        let arrivals = rows.iter().filter_map(|row| row.arrives);
        let mut instants: Vec<Instant> = rows.iter().map(|row| (row.now, row.index)).collect();
        instants.extend(arrivals.map(|arrives| (arrives, ARRIVAL)));
        instants.sort_unstable();
        instants.dedup();
        let longest = rows.iter().map(|row| row.label.chars().count()).max();
        let labels = x(lanes.len()) - ACROSS / 2;
        let width = labels + LETTER * longest.unwrap_or_default() + LETTER;
        let height = TOP + DOWN * (instants.len() + 2);
        let mut picture = Picture {
            svg: String::new(),
            instants,
            height,
            labels,
            written: None,
        };
        picture.add(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
        ));
        picture.add(format_args!(
            "<defs><marker id=\"head\" markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" refX=\"7\" refY=\"4\" \
             orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\"/></marker></defs>"
        ));
        picture
    }

    fn add(&mut self, line: Arguments<'_>) {
        let _ = writeln!(self.svg, "{line}"); // a String takes it
    }

    fn y(&self, instant: Instant) -> usize {
        TOP + DOWN * (1 + self.instants.partition_point(|other| *other < instant))
    }

    fn draw_lane(&mut self, lane: usize, name: &str) {
        let (x, top, bottom) = (x(lane), TOP + 8, self.height - DOWN);
        let name = escaped(name);
        self.add(format_args!(
            "<text x=\"{x}\" y=\"{TOP}\" text-anchor=\"middle\">{name}</text>\
             <path d=\"M{x},{top} V{bottom}\" stroke=\"#999\"/>"
        ));
    }

    fn draw_row(&mut self, row: &Row) {
        let top = self.y((row.now, row.index));
        let base = top + 4;
        if self.written.replace(row.now) != Some(row.now) {
            self.add(format_args!(
                "<text x=\"4\" y=\"{base}\">{}</text>",
                milliseconds(row.now)
            ));
        }
        let (labels, label) = (self.labels, escaped(&row.label));
        let style = match row.lane {
            _ if row.is_lost => format!("fill=\"{LOST}\""),
            None => format!("fill=\"{ODD}\" font-style=\"italic\""),
            Some(_) if row.is_odd() => format!("fill=\"{ODD}\""),
            Some(_) => "fill=\"#444\"".to_owned(),
        };
        self.add(format_args!(
            "<text x=\"{labels}\" y=\"{base}\" {style}>{label}</text>"
        ));
        match (row.lane, row.to) {
            (Some(from), Some(to)) if from != to => self.draw_arrow(row, x(from), x(to), top),
            (Some(lane), _) => {
                let center = x(lane);
                self.add(format_args!(
                    "<circle cx=\"{center}\" cy=\"{top}\" r=\"4\"/>"
                ));
            }
            (None, _) => {}
        }
    }

    fn draw_arrow(&mut self, row: &Row, from: usize, to: usize, top: usize) {
        let bottom = row
            .arrives
            .map_or(top, |arrives| self.y((arrives, ARRIVAL)));
        let style = match (row.is_lost, row.is_odd()) {
            (true, _) => format!("stroke=\"{LOST}\" stroke-dasharray=\"4\""),
            (_, true) => format!("stroke=\"{ODD}\" stroke-width=\"2\""),
            _ => "stroke=\"#000\"".to_owned(),
        };
        self.add(format_args!(
            "<path d=\"M{from},{top} L{to},{bottom}\" {style} marker-end=\"url(#head)\"/>"
        ));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
