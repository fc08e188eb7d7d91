//! The page of a record, in Markdown: a picture for each suite, and all numbers in tables.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::Role;
use crate::pictures;
use crate::record::{Circumstances, Record, Row, Verdict, with_unit};
use crate::report::figures;

/// The cases of the picture that shows most in least room.
const SUMMARY: &[(&str, &str)] = &[
    ("switch", "yield between 2 tasks"),
    ("spawn", "one at a time"),
    ("wake", "through a local one-slot channel"),
    ("timer", "arm and cancel a sleep"),
    ("sync", "a message around 2 tasks"),
    ("group", "gather of 1,000"),
];

/// Draws the run in `file` into `folder`, which is made if it is missing. Returns the path of the
/// page.
pub(crate) fn write(file: &Path, folder: &Path) -> Result<PathBuf, String> {
    let record = Record::read(file)?;
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let mut page = head(&record.circumstances);
    let summary: Vec<&Row> = record
        .rows
        .iter()
        .filter(|row| is_in_summary(row))
        .collect();
    if !summary.is_empty() {
        pictures::draw(&folder.join("summary.svg"), &summary)?;
        page.push_str("\n![the commonest operations](summary.svg)\n");
    }
    for suite in suites(&record.rows) {
        let of_suite = |row: &&Row| row.suite == suite;
        let rows: Vec<&Row> = record.rows.iter().filter(of_suite).collect();
        pictures::draw(&folder.join(format!("{suite}.svg")), &rows)?;
        let _ = writeln!(page, "\n## {suite}\n\n![{suite}]({suite}.svg)\n");
        let verdicts = record.verdicts.iter().filter(|one| one.suite == suite);
        page.push_str(&table(&rows, &verdicts.collect::<Vec<_>>()));
    }
    let path = folder.join("README.md");
    fs::write(&path, page).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(path)
}

fn is_in_summary(row: &Row) -> bool {
    SUMMARY
        .iter()
        .any(|(suite, case)| row.suite == *suite && row.case == *case)
}

fn suites(rows: &[Row]) -> Vec<&str> {
    each_once(rows.iter().map(|row| &*row.suite))
}

/// The names in the order in which they come first.
fn each_once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

fn head(circumstances: &Circumstances) -> String {
    let warning = match circumstances.quick {
        true => "\n**A quick run: a tenth of the work, not to be quoted.**\n",
        false => "",
    };
    let versions: Vec<String> = circumstances
        .versions
        .iter()
        .map(|(name, version)| format!("{} {}", escaped(name), escaped(version)))
        .collect();
    format!(
        "# coro beside its peers\n{warning}\n{}, on {}, {}, {}. Numbers are minimum/median; less is \
         better. In the pictures coro is orange, and floors are light: a floor does less than the \
         others promise.\n\n{}\n",
        escaped(&circumstances.date),
        escaped(&circumstances.machine),
        escaped(&circumstances.system),
        escaped(&circumstances.compiler),
        versions.join(", "),
    )
}

/// A line for each case, a column for each subject, the goals in the last one.
fn table(rows: &[&Row], verdicts: &[&Verdict]) -> String {
    let subjects = each_once(rows.iter().map(|row| &*row.subject));
    let names = subjects.iter().map(|name| escaped(name));
    let mut text = line(
        ["".to_owned()]
            .into_iter()
            .chain(names)
            .chain(["goals".into()]),
    );
    text += &line((0..subjects.len() + 2).map(|_| "---".to_owned()));
    for case in each_once(rows.iter().map(|row| &*row.case)) {
        let of_case: Vec<&Row> = rows
            .iter()
            .copied()
            .filter(|row| row.case == case)
            .collect();
        let unit = of_case.first().map_or("", |row| &row.unit);
        let numbers = subjects.iter().map(|name| {
            let row = of_case.iter().find(|row| row.subject == *name);
            row.map_or(String::new(), |row| cell(row))
        });
        let goals: Vec<String> = verdicts
            .iter()
            .filter(|verdict| verdict.case == case)
            .map(|verdict| standing(verdict))
            .collect();
        let name = with_unit(&escaped(case), &escaped(unit));
        text += &line([name].into_iter().chain(numbers).chain([goals.join("; ")]));
    }
    text
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

fn cell(row: &Row) -> String {
    let numbers = match row.value == row.median {
        true => figures(row.value),
        false => format!("{}/{}", figures(row.value), figures(row.median)),
    };
    match row.role {
        Role::Coro => format!("**{numbers}**"),
        Role::Peer | Role::Floor => numbers,
    }
}

fn standing(verdict: &Verdict) -> String {
    let (goal, reached) = (escaped(&verdict.goal), escaped(&verdict.reached));
    match verdict.met {
        true => format!("{goal}: {reached}, met"),
        false => format!("{goal}: {reached}, **missed**"),
    }
}

/// Keeps a name from being taken for a mark of the page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_the_page() {
        assert_eq!(escaped("Vec<T> | co"), "Vec&lt;T&gt; \\| co");
    }

    #[test]
    fn a_case_is_a_line_with_its_goals() {
        let row = |subject: &str, role, value| Row {
            suite: "spawn".into(),
            case: "one at a time".into(),
            subject: subject.into(),
            role,
            value,
            median: value + 1.0,
            unit: "ns".into(),
        };
        let verdict = Verdict {
            suite: "spawn".into(),
            case: "one at a time".into(),
            goal: "at most 3 x floor".into(),
            reached: "2.000".into(),
            met: true,
        };
        let rows = [
            row("coro", Role::Coro, 30.0),
            row("floor", Role::Floor, 15.0),
        ];
        assert_eq!(
            table(&rows.each_ref(), &[&verdict]),
            "|  | coro | floor | goals |\n\
             | --- | --- | --- | --- |\n\
             | one at a time, ns | **30.0/31.0** | 15.0/16.0 | at most 3 x floor: 2.000, met |\n"
        );
    }
}
