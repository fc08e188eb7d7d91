//! `docs/guide/libraries.md`, held against these tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How many rows the page has at least.
const ROWS_MIN: usize = 35;

/// How many lines a library may need beside its documented usage.
const GLUE_MAX: usize = 3;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of the tests, but for this one, as one text.
fn tests() -> String {
    let folder = package().join("tests/rows");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    files.retain(|file| !file.ends_with("page.rs"));
    files.sort();
    files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

/// A row of the page: the library, the line that it needs if it needs one, and its test.
struct Row {
    library: String,
    line: Option<String>,
    test: String,
}

fn rows() -> Vec<Row> {
    let page = fs::read_to_string(package().join("../../docs/guide/libraries.md")).unwrap();
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let in_code = |cell: &str| cell.trim().trim_matches('`').to_owned();
    rows.filter(|row| !row.starts_with("library"))
        .map(|row| {
            let cells: Vec<&str> = row.split('|').collect();
            let [library, line, test] = cells[..] else {
                panic!("three cells: {row}");
            };
            Row {
                library: library.trim().to_owned(),
                line: Some(in_code(line)).filter(|line| !line.is_empty()),
                test: in_code(test),
            }
        })
        .collect()
}

/// Without spaces, so that the formatter may break lines.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn every_row_has_a_test_whose_line_is_in_the_code() {
    let tests = tests();
    let code = squeezed(&tests);
    let rows = rows();
    assert!(rows.len() >= ROWS_MIN, "{} rows", rows.len());
    for Row {
        library,
        line,
        test,
    } in rows
    {
        assert!(
            tests.contains(&format!("fn {test}(")),
            "{library}: no test {test}"
        );
        if let Some(line) = line {
            assert!(
                code.contains(&squeezed(&line)),
                "{library}: no test has {line}"
            );
        }
    }
}

#[test]
fn every_library_of_the_page_is_a_dependency() {
    let manifest = fs::read_to_string(package().join("Cargo.toml")).unwrap();
    let names = |line: &str| line.split([' ', '=']).next().unwrap().to_owned();
    let mut known: BTreeSet<String> = manifest.lines().map(names).collect();
    known.insert("rustls".to_owned()); // by the feature `tls`
    for Row { library, .. } in rows() {
        let name = library.split([':', ',', ' ']).next().unwrap();
        assert!(known.contains(name), "{library}: not a dependency");
    }
}

#[test]
fn no_test_needs_more_than_three_lines_of_glue() {
    let mut lines = 0;
    for item in tests().split("\n}\n") {
        let glue = item
            .lines()
            .filter(|line| line.ends_with("// glue"))
            .count();
        assert!(glue <= GLUE_MAX, "{glue} lines of glue: {item}");
        lines += glue;
    }
    assert!(lines > 20, "the lines are marked: {lines}");
}
