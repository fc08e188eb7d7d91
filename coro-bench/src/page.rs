//! The page of a record: a picture for each suite, and all numbers in tables.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::pictures;
use crate::record::{Circumstances, Record, Row};
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

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1e293b}\
img{max-width:100%;height:auto}table{border-collapse:collapse;display:block;overflow-x:auto}\
td,th{padding:.1rem .8rem;text-align:right}td:first-child,th:first-child{text-align:left}";

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
        page.push_str("<p><img src=\"summary.svg\" alt=\"the commonest operations\"></p>\n");
    }
    for suite in suites(&record.rows) {
        let rows: Vec<&Row> = record
            .rows
            .iter()
            .filter(|row| row.suite == suite)
            .collect();
        pictures::draw(&folder.join(format!("{suite}.svg")), &rows)?;
        let _ = writeln!(
            page,
            "<h2>{suite}</h2>\n<p><img src=\"{suite}.svg\" alt=\"{suite}\"></p>"
        );
        page.push_str(&table(&rows));
    }
    page.push_str("</body></html>\n");
    let path = folder.join("index.html");
    fs::write(&path, page).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(path)
}

fn is_in_summary(row: &Row) -> bool {
    SUMMARY
        .iter()
        .any(|(suite, case)| row.suite == *suite && row.case == *case)
}

fn suites(rows: &[Row]) -> Vec<&str> {
    let mut names: Vec<&str> = rows.iter().map(|row| &*row.suite).collect();
    names.dedup();
    names
}

fn head(circumstances: &Circumstances) -> String {
    let warning = match circumstances.quick {
        true => "<p><strong>A quick run: a tenth of the work, not to be quoted.</strong></p>",
        false => "",
    };
    let versions: Vec<String> = circumstances
        .versions
        .iter()
        .map(|(name, version)| format!("{} {}", escaped(name), escaped(version)))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>coro beside its peers</title><style>{STYLE}</style></head><body>\n\
         <h1>coro beside its peers</h1>\n{warning}\
         <p>{}, on {}, {}, {}. Bars are minima; less is better. coro is orange, floors are light: a floor \
         does less than the others promise.</p>\n<p>{}</p>\n",
        escaped(&circumstances.date),
        escaped(&circumstances.machine),
        escaped(&circumstances.system),
        escaped(&circumstances.compiler),
        versions.join(", "),
    )
}

fn table(rows: &[&Row]) -> String {
    let mut text = String::from(
        "<table><tr><th>case</th><th>subject</th><th>min</th><th>median</th><th></th></tr>\n",
    );
    for row in rows {
        let _ = writeln!(
            text,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&row.case),
            escaped(&row.subject),
            figures(row.value),
            figures(row.median),
            escaped(&row.unit),
        );
    }
    text.push_str("</table>\n");
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[test]
fn names_cannot_break_the_page() {
    assert_eq!(escaped("Vec<T> & co"), "Vec&lt;T&gt; &amp; co");
}
