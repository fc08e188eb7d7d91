//! No two modules of one folder import each other, except natural pairs.
//!
//! A folder's `mod.rs` and the modules in it are not a circle. Pairs in different rows are left to
//! the test of rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::layout::{code, rust_files};

/// Modules that are two halves of one thing, as `folder: one, other`. The list may only become shorter.
const PAIRS: &[&str] = &[
    "event_loop: handle, remote",
    "generator: chain, slot",
    "generator: plain, slot",
    "generator: slot, waiting",
    "net/tls: handshake, stream",
    "net/transport: handle, protocol",
    "net: tls, transport",
    "task: cell, count",
    "task: cell, inbox",
    "task: cell, queue",
    "task: cell, scheduler",
    "task: cell, waker",
    "task: current, scheduler",
    "task: queue, scheduler",
];

/// A path of modules below `crate`.
type Path = Vec<String>;

fn words(path: &str) -> Path {
    path.split("::")
        .map(|word| word.trim().to_owned())
        .collect()
}

/// The module of a file.
fn module_of(file: &str) -> Path {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// The single paths of a tree of paths, such as `a::{b, c::{d, e}}`.
fn expand(tree: &str) -> Vec<String> {
    let Some((before, rest)) = tree.split_once('{') else {
        return vec![tree.trim().to_owned()];
    };
    let mut found = Vec::new();
    let (mut depth, mut begin) = (0, 0);
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let part = rest[begin..at].trim();
                found.extend(
                    expand(part)
                        .into_iter()
                        .map(|part| format!("{}{part}", before.trim())),
                );
                begin = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// The text of a path or a tree of paths that begins at the start of `text`.
fn tree_at(text: &str) -> &str {
    let mut depth = 0;
    let end = text.char_indices().find(|(_, c)| match c {
        '{' => {
            depth += 1;
            false
        }
        '}' => {
            depth -= 1;
            depth <= 0
        }
        ':' | '_' => false,
        c if depth > 0 => *c == ';',
        c => !c.is_alphanumeric(),
    });
    match end {
        Some((at, '}')) => &text[..=at],
        Some((at, _)) => &text[..at],
        None => text,
    }
}

/// The paths that a file names by `super::` or `crate::`, from `crate` on.
fn named(module: &[String], text: &str) -> Vec<Path> {
    let code = code(text).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for start in ["super::", "crate::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before == ':' || before == '$' || before.is_alphanumeric() {
                continue; // in the middle of a path, or of a macro
            }
            for path in expand(tree_at(&code[at..])) {
                let path = words(&path);
                let ups = path.iter().take_while(|word| *word == "super").count();
                let base = match ups {
                    0 => &[],
                    ups => &module[..module.len().saturating_sub(ups)],
                };
                found.push(base.iter().chain(&path[ups.max(1)..]).cloned().collect());
            }
        }
    }
    found
}

/// The names that a module re-exports from its own modules, with the module of each.
fn handed_on(text: &str) -> BTreeMap<String, Path> {
    let code = code(text).collect::<Vec<_>>().join("\n");
    let uses = code.split(';').filter_map(|statement| {
        let (before, tree) = statement.rsplit_once("use ")?;
        before
            .rsplit('\n')
            .next()?
            .starts_with("pub")
            .then_some(tree)
    });
    let paths = uses.flat_map(expand).map(|path| words(&path));
    paths
        .filter_map(|path| Some((path.last()?.clone(), path[..path.len() - 1].to_vec())))
        .collect()
}

/// The module that a path leads to, through re-exported names.
fn resolve(path: &[String], texts: &BTreeMap<Path, String>) -> Path {
    let mut at = Path::new();
    for word in path {
        let next = [at.as_slice(), std::slice::from_ref(word)].concat();
        if texts.contains_key(&next) {
            at = next;
            continue;
        }
        if let Some(from) = texts.get(&at).and_then(|text| handed_on(text).remove(word)) {
            let next = [at.as_slice(), from.as_slice()].concat();
            if texts.contains_key(&next) {
                at = next;
            }
        }
        break;
    }
    at
}

/// `folder`, and the two modules in it, of every import from one into the other.
fn imports() -> BTreeSet<(String, String, String)> {
    let texts: BTreeMap<Path, String> = rust_files("coro-core/src")
        .into_iter()
        .filter(|(file, _)| file != "lib.rs")
        .map(|(file, text)| (module_of(&file), text))
        .collect();
    let mut found = BTreeSet::new();
    for (module, text) in &texts {
        for path in named(module, text) {
            let other = resolve(&path, &texts);
            let shared = module
                .iter()
                .zip(&other)
                .take_while(|(a, b)| a == b)
                .count();
            if shared > 0 && shared < module.len() && shared < other.len() {
                found.insert((
                    module[..shared].join("/"),
                    module[shared].clone(),
                    other[shared].clone(),
                ));
            }
        }
    }
    found
}

#[test]
fn no_two_modules_of_a_folder_import_each_other() {
    let imports = imports();
    let circles: Vec<String> = imports
        .iter()
        .filter(|(folder, a, b)| a < b && imports.contains(&(folder.clone(), b.clone(), a.clone())))
        .map(|(folder, a, b)| format!("{folder}: {a}, {b}"))
        .collect();
    let unknown: Vec<_> = circles
        .iter()
        .filter(|circle| !PAIRS.contains(&circle.as_str()))
        .collect();
    assert!(
        unknown.is_empty(),
        "these import each other: move what both need down\n{unknown:#?}"
    );
    for pair in PAIRS {
        assert!(
            circles.iter().any(|circle| circle == pair),
            "{pair} do not import each other any more: take the pair off the list"
        );
    }
}
