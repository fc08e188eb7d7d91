//! The language of comments and documentation, held against the tree.
//!
//! A reader looks for the noun: the task, the waiter, the descriptor. These words hide it.

use std::collections::{BTreeMap, BTreeSet};

use crate::layout::{code, rust_files};

/// Words that no comment has.
const REFUSED: [&str; 8] = [
    "whoever", "whomever", "whom", "nobody", "somebody", "anybody", "so many", "so much",
];

/// How often a thousand words of comments may have the word "what".
const WHAT_MAX: usize = 3;

/// The folders whose comments are read; those of `tests/ui/fail` stand in texts that are pinned.
const FOLDERS: [&str; 7] = [
    "src",
    "coro-core/src",
    "coro-macros/src",
    "coro-bench/src",
    "examples",
    "tests/it",
    "tests/ui/pass",
];

/// Type names that several files declare: as the same type on several systems, or as public types that
/// their modules tell apart. The list may only become shorter.
const SHARED_TYPES: &[&str] = &[
    "Event",
    "Listener",
    "Pidfd",
    "Poller",
    "Receiver",
    "Sender",
    "TryRecvError",
];

/// The comments of a file, line by line in lower case, without the code in them.
fn comments(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (number, line) in (1..).zip(text.lines()) {
        let Some(comment) = line.trim_start().strip_prefix("//") else {
            in_code = false;
            continue;
        };
        let comment = comment.trim_start_matches(['/', '!']).trim();
        if comment.starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            found.push((number, comment.to_lowercase()));
        }
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
}

/// Fails with all that was found, not with the first of it.
fn refuse(found: &[String], remedy: &str) {
    assert!(found.is_empty(), "{remedy}:\n{}", found.join("\n"));
}

#[test]
fn comments_name_the_thing() {
    let mut found = Vec::new();
    for folder in FOLDERS {
        for (file, text) in rust_files(folder) {
            if folder == "tests/it" && file == "words.rs" {
                continue; // names the words
            }
            for (number, comment) in comments(&text) {
                let plain = format!(" {} ", words(&comment).collect::<Vec<_>>().join(" "));
                let said = REFUSED
                    .iter()
                    .filter(|word| plain.contains(&format!(" {word} ")));
                found.extend(said.map(|word| format!("{folder}/{file}:{number} says {word:?}")));
            }
        }
    }
    refuse(&found, "name the thing instead");
}

#[test]
fn comments_seldom_say_what() {
    let mut found = Vec::new();
    for folder in FOLDERS {
        let (mut all, mut whats) = (0, 0);
        for (_, text) in rust_files(folder) {
            for (_, comment) in comments(&text) {
                all += words(&comment).count();
                whats += words(&comment).filter(|word| *word == "what").count();
            }
        }
        if whats * 1000 > WHAT_MAX * all {
            found.push(format!(
                "{folder}: {whats} times in {all} words of comments"
            ));
        }
    }
    refuse(
        &found,
        "too many comments say \"what\": name the thing instead",
    );
}

/// The words of code that a word of a sentence may mean: itself, and its singular or stem.
fn stems(word: &str) -> Vec<String> {
    let mut stems = vec![word.to_owned()];
    for (end, instead) in [
        ("ies", "y"),
        ("es", ""),
        ("s", ""),
        ("ing", ""),
        ("ing", "e"),
        ("ed", ""),
    ] {
        if let Some(stem) = word.strip_suffix(end) {
            stems.push(format!("{stem}{instead}"));
        }
    }
    stems.retain(|stem| stem.len() >= 3);
    stems
}

/// The parts of all identifiers: `TcpStream` and `tcp_stream` have `tcp` and `stream`.
fn parts_of_identifiers(text: &str) -> BTreeSet<String> {
    let mut parts = BTreeSet::new();
    let mut part = String::new();
    for c in code(text).flat_map(|line| line.chars().chain(['\n'])) {
        let ends = !c.is_alphanumeric() || (c.is_uppercase() && part.ends_with(char::is_lowercase));
        if ends && !part.is_empty() {
            parts.insert(std::mem::take(&mut part).to_lowercase());
        }
        if c.is_alphanumeric() {
            part.push(c);
        }
    }
    parts
}

#[test]
fn the_first_line_of_a_file_names_something_in_its_code() {
    let mut found = Vec::new();
    let small = [
        "the", "and", "for", "that", "with", "from", "its", "are", "one", "not", "all", "use",
        "pub", "has", "was", "let", "mut", "self", "this",
    ];
    for folder in ["coro-core/src", "coro-macros/src", "coro-bench/src"] {
        for (file, text) in rust_files(folder) {
            let (_, first) = comments(&text).into_iter().next().unwrap_or_default();
            let code = parts_of_identifiers(&text);
            let is_named = words(&first)
                .filter(|word| !small.contains(word))
                .flat_map(stems)
                .any(|stem| code.contains(&stem) || code.contains(&format!("{stem}s")));
            if !is_named {
                found.push(format!("{folder}/{file}: {first}"));
            }
        }
    }
    refuse(
        &found,
        "the first line has no noun that occurs in the code of the file",
    );
}

/// The names of the types and traits that a file declares outside of functions.
fn declared(text: &str) -> impl Iterator<Item = &str> {
    code(text).filter_map(|line| {
        let line = line.trim_start_matches("pub ");
        let line = match line.strip_prefix("pub(") {
            Some(rest) => rest.split_once(") ")?.1,
            None => line,
        };
        let kinds = ["struct ", "enum ", "trait ", "union ", "type "];
        let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
        rest.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
    })
}

#[test]
fn a_type_name_is_used_once() {
    let mut files = BTreeMap::<String, Vec<String>>::new();
    for (file, text) in rust_files("coro-core/src") {
        for name in declared(&text) {
            files.entry(name.to_owned()).or_default().push(file.clone());
        }
    }
    files.retain(|_, files| {
        files.dedup(); // the same for several systems
        files.len() > 1
    });
    let unknown = files
        .iter()
        .filter(|(name, _)| !SHARED_TYPES.contains(&name.as_str()));
    let unknown: Vec<_> = unknown
        .map(|(name, files)| format!("{name}: {}", files.join(", ")))
        .collect();
    refuse(&unknown, "one name, one type");
    for name in SHARED_TYPES {
        assert!(
            files.contains_key(*name),
            "{name} is declared once: take it off the list"
        );
    }
}
