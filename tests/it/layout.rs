//! The rules of ARCHITECTURE.md, checked against the tree.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rows of coro-core, from the ground up; each lists the names of its folders or files.
const ROWS: [&[&str]; 8] = [
    &[
        "choices", "error", "machine", "mix", "panics", "report", "timers", "world",
    ],
    &["clock", "primitives", "sys", "generator"],
    &["task", "pool"],
    &["event_loop", "sight"],
    &["callbacks", "wait"],
    &["time", "sync", "io", "net", "process", "threads", "signal"],
    &["group"],
    &["run", "cores", "testing", "macro_support", "compat"],
];

/// Rows whose members never import one another.
const APART: std::ops::RangeInclusive<usize> = 4..=6;

/// The files of coro-core that may say `unsafe`; ARCHITECTURE.md gives their reasons.
const UNSAFE: [&str; 18] = [
    "generator/chain.rs",
    "generator/place.rs",
    "generator/slot.rs",
    "group/ready/wake_list.rs",
    "sys/signals.rs",
    "task/block.rs",
    "task/callout.rs",
    "task/cell.rs",
    "task/choosing.rs",
    "task/count.rs",
    "task/inbox.rs",
    "task/main_task.rs",
    "task/outside.rs",
    "task/pooled.rs",
    "task/pulse.rs",
    "task/queue.rs",
    "task/scheduler.rs",
    "task/waker.rs",
];

const LINES_MAX: usize = 500;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// All Rust files below a folder, each with its path from that folder.
pub(crate) fn rust_files(folder: &str) -> Vec<(String, String)> {
    let base = root().join(folder);
    let mut found = Vec::new();
    let mut folders = vec![base.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((name_below(&path, &base), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no Rust files in {folder}");
    found
}

fn name_below(path: &Path, base: &Path) -> String {
    let name: PathBuf = path.strip_prefix(base).unwrap().into();
    name.components()
        .map(|part| part.as_os_str().to_str().unwrap())
        .collect::<Vec<_>>()
        .join("/")
}

/// The room of a file of coro-core: the name of its folder, or its own name.
fn room(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

fn row(room: &str) -> Option<usize> {
    ROWS.iter().position(|rooms| rooms.contains(&room))
}

/// A file without its comments.
pub(crate) fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

/// The rooms that a file names by `crate::room`, in imports and elsewhere.
fn imports(text: &str) -> BTreeSet<&str> {
    code(text)
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap()
        })
        .filter(|name| row(name).is_some())
        .collect()
}

#[test]
fn every_room_of_coro_core_stands_in_a_row() {
    for (file, _) in rust_files("coro-core/src") {
        assert!(
            file == "lib.rs" || row(room(&file)).is_some(),
            "{file} stands in no row"
        );
    }
}

#[test]
fn rows_import_downwards_only() {
    for (file, text) in rust_files("coro-core/src") {
        let Some(own) = row(room(&file)) else {
            continue;
        };
        for import in imports(&text)
            .into_iter()
            .filter(|import| *import != room(&file))
        {
            let other = row(import).unwrap();
            assert!(
                other <= own,
                "{file} imports {import}, which stands above it"
            );
            let apart = other == own && APART.contains(&own);
            assert!(
                !apart,
                "{file} imports its neighbour {import}: move what both need down"
            );
        }
    }
}

#[test]
fn row_zero_knows_no_machine() {
    for (file, text) in rust_files("coro-core/src") {
        if row(room(&file)) == Some(0) {
            for word in [
                "Instant",
                "SystemTime",
                "thread_local!",
                "std::thread",
                "std::net",
            ] {
                assert!(
                    code(&text).all(|line| !line.contains(word)),
                    "{file} says {word}"
                );
            }
        }
    }
}

#[test]
fn unsafe_stands_in_the_named_files_only() {
    let mut found = Vec::new();
    for (file, text) in rust_files("coro-core/src") {
        if text.contains("unsafe_code") {
            found.push(file);
        }
    }
    assert_eq!(found, UNSAFE);
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for file in UNSAFE {
        assert!(
            architecture.contains(&format!("`{file}`")),
            "ARCHITECTURE.md must argue {file}"
        );
    }
    for folder in ["src", "coro-macros/src", "coro-cli/src", "coro-bench/src"] {
        for (file, text) in rust_files(folder) {
            assert!(
                text.lines()
                    .all(|line| !line.contains("unsafe_code") || line.starts_with("#![forbid(")),
                "{folder}/{file} exempts itself"
            );
        }
    }
}

#[test]
fn there_is_one_thread_local() {
    let files = rust_files("coro-core/src");
    let with = files
        .iter()
        .filter(|(_, text)| text.contains("thread_local! {"));
    assert_eq!(
        with.map(|(file, _)| file.as_str()).collect::<Vec<_>>(),
        ["task/current.rs"]
    );
}

#[test]
fn every_file_says_first_what_it_is_about() {
    for folder in [
        "src",
        "coro-core/src",
        "coro-macros/src",
        "coro-cli/src",
        "coro-bench/src",
        "examples",
    ] {
        for (file, text) in rust_files(folder) {
            let first = text.lines().next().unwrap_or_default();
            assert!(
                first.starts_with("//! "),
                "{folder}/{file} begins with {first:?}"
            );
        }
    }
}

#[test]
fn files_are_short() {
    for folder in [
        "src",
        "coro-core/src",
        "coro-macros/src",
        "coro-cli/src",
        "coro-bench/src",
        "examples",
        "tests/it",
    ] {
        for (file, text) in rust_files(folder) {
            let lines = text.lines().count();
            assert!(
                lines <= LINES_MAX,
                "{folder}/{file} has {lines} lines: split it by noun"
            );
        }
    }
}

#[test]
fn only_one_file_names_the_runtime_to_the_attributes() {
    for (file, text) in rust_files("coro-macros/src") {
        assert!(
            file == "names.rs" || !text.contains("__private"),
            "{file} spells the runtime's name: names.rs does that"
        );
    }
}

#[test]
fn every_refusal_is_pinned() {
    for folder in ["tests/ui/fail", "tests/ui/off"] {
        let base = root().join(folder);
        for (file, _) in rust_files(folder) {
            let pinned = base.join(&file).with_extension("stderr");
            assert!(pinned.exists(), "{folder}/{file} has no .stderr beside it");
        }
        for entry in fs::read_dir(&base).unwrap() {
            let path = entry.unwrap().path();
            let is_pinned = path.extension().is_some_and(|of| of == "stderr");
            assert!(
                !is_pinned || path.with_extension("rs").exists(),
                "{} has no test",
                path.display()
            );
        }
    }
}
