//! Pictures of a record: for each case a group of bars, the shortest first.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::harness::Role;
use crate::record::{Row, with_unit};
use crate::report::figures;

const WIDTH: u32 = 820;
const BAR: i32 = 20;
const HEAD: i32 = 34;
const GAP: i32 = 14;
/// Where the bars begin, right of the names.
const LEFT: i32 = 220;
/// The room right of the longest bar, for its number.
const RIGHT: i32 = 170;

/// A bar that is longer than this many of coro's is cut, and says so: the others stay readable.
const TIMES_MAX: f64 = 8.0;

const OURS: RGBColor = RGBColor(0xc2, 0x41, 0x0c);
const PEER: RGBColor = RGBColor(0x64, 0x74, 0x8b);
const FLOOR: RGBColor = RGBColor(0xcb, 0xd5, 0xe1);
const INK: RGBColor = RGBColor(0x1e, 0x29, 0x3b);

/// Draws all cases in these rows, which may be of several suites.
pub(crate) fn draw(path: &Path, rows: &[&Row]) -> Result<(), String> {
    let groups = groups(rows);
    let lengths = groups
        .iter()
        .map(|group| group.len() as i32 * BAR + HEAD + GAP);
    let height = lengths.sum::<i32>() + GAP;
    let area = SVGBackend::new(path, (WIDTH, height as u32)).into_drawing_area();
    draw_on(&area, &groups).map_err(|error| format!("cannot draw {}: {error}", path.display()))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw_on<'a>(area: &Area<'a>, groups: &[Vec<&Row>]) -> Drawn<'a> {
    area.fill(&WHITE)?;
    let mut top = GAP;
    for group in groups {
        let Some(first) = group.first() else { continue };
        let title = format!("{}: {}", first.suite, with_unit(&first.case, &first.unit));
        let style = ("sans-serif", 15)
            .into_font()
            .style(FontStyle::Bold)
            .color(&INK);
        area.draw(&Text::new(title, (GAP, top), style))?;
        top += HEAD - GAP / 2;
        let scale = scale(group);
        for row in group {
            bar(area, row, scale, top)?;
            top += BAR;
        }
        top += GAP + GAP / 2;
    }
    area.present()
}

/// One bar, with its name before it and its number behind it.
fn bar<'a>(area: &Area<'a>, row: &Row, scale: Scale, top: i32) -> Drawn<'a> {
    let color = match row.role {
        Role::Coro => OURS,
        Role::Peer => PEER,
        Role::Floor => FLOOR,
    };
    let middle = top + BAR / 2;
    let text = ("sans-serif", 13).into_font().color(&INK);
    let before = text.pos(Pos::new(HPos::Right, VPos::Center));
    area.draw(&Text::new(row.subject.clone(), (LEFT - 8, middle), before))?;
    let length = (scale.share(row.value) * f64::from(WIDTH as i32 - LEFT - RIGHT)) as i32;
    let corners = [(LEFT, top + 3), (LEFT + length.max(1), top + BAR - 3)];
    area.draw(&Rectangle::new(corners, color.filled()))?;
    let after = text.pos(Pos::new(HPos::Left, VPos::Center));
    let number = scale.label(row.value);
    area.draw(&Text::new(number, (LEFT + length + 8, middle), after))
}

/// How long the bars of a group are.
#[derive(Clone, Copy)]
struct Scale {
    longest: f64,
    ours: Option<f64>,
}

impl Scale {
    fn share(self, value: f64) -> f64 {
        (value.max(0.0) / self.longest).min(1.0)
    }

    fn label(self, value: f64) -> String {
        let cut = if value > self.longest { " (cut)" } else { "" };
        let times = match self.ours {
            Some(ours) if ours > 0.0 && value != ours => format!("  = {:.2} x coro", value / ours),
            _ => String::new(),
        };
        format!("{}{times}{cut}", figures(value))
    }
}

fn scale(group: &[&Row]) -> Scale {
    let ours = group
        .iter()
        .find(|row| row.role == Role::Coro)
        .map(|row| row.value);
    let longest = group
        .iter()
        .map(|row| row.value)
        .fold(f64::MIN_POSITIVE, f64::max);
    let longest = match ours {
        Some(ours) if ours > 0.0 => longest.min(ours * TIMES_MAX),
        _ => longest,
    };
    Scale { longest, ours }
}

/// The rows of each case, in the order of the record, and within a case by value.
fn groups<'a>(rows: &[&'a Row]) -> Vec<Vec<&'a Row>> {
    let mut groups: Vec<Vec<&Row>> = Vec::new();
    for row in rows {
        let same = |group: &&mut Vec<&Row>| {
            group
                .first()
                .is_some_and(|first| first.suite == row.suite && first.case == row.case)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    for group in &mut groups {
        group.sort_by(|a, b| a.value.total_cmp(&b.value));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(subject: &str, role: Role, value: f64) -> Row {
        Row {
            suite: "switch".into(),
            case: "between 2 tasks".into(),
            subject: subject.into(),
            role,
            value,
            median: value,
            unit: "ns".into(),
        }
    }

    #[test]
    fn the_best_subject_comes_first_and_a_far_one_is_cut() {
        let rows = [
            row("far", Role::Peer, 900.0),
            row("coro", Role::Coro, 10.0),
            row("near", Role::Peer, 20.0),
        ];
        let groups = groups(&rows.each_ref());
        let names: Vec<&str> = groups[0].iter().map(|row| &*row.subject).collect();
        assert_eq!(names, ["coro", "near", "far"]);
        let scale = scale(&groups[0]);
        assert_eq!(scale.share(900.0), 1.0);
        assert_eq!(scale.share(20.0), 0.25);
        assert_eq!(scale.label(20.0), "20.0  = 2.00 x coro");
        assert_eq!(scale.label(900.0), "900.0  = 90.00 x coro (cut)");
        assert_eq!(scale.label(10.0), "10.0");
    }
}
