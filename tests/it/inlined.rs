//! The functions that a small program has no use for: each program compiles those that it uses.

use crate::layout::rust_files;

/// Folders and files whose functions carry `#[inline]`. The loop, its tasks and timers, which every program runs,
/// are compiled once, with the library.
const ROOMS: [&str; 17] = [
    "callbacks/",
    "cores/",
    "error.rs",
    "event_loop/threads.rs",
    "event_loop/watchdog.rs",
    "group/",
    "io/",
    "net/",
    "pool/",
    "process/",
    "sight/dot.rs",
    "sight/json.rs",
    "signal/",
    "sync/",
    "sys/",
    "threads.rs",
    "wait/",
];

/// Whether the parameters that follow a keyword or a name have a type or a constant among them, of which
/// each value makes a copy. Lifetimes are in lower case.
fn has_copies(after_name: &str) -> bool {
    let mut depth = 0;
    after_name.starts_with('<')
        && after_name
            .chars()
            .take_while(|c| {
                depth += i32::from(*c == '<') - i32::from(*c == '>');
                depth > 0
            })
            .any(char::is_uppercase)
}

/// What follows the name of the function that a line declares.
fn declared(line: &str) -> Option<&str> {
    let words = line.trim_start().split_once("fn ")?;
    let before = words.0.trim_end();
    let known = ["", "pub", "pub(crate)", "pub(super)", "pub(in crate::task)"];
    let plain = before.trim_end_matches(" async").trim_end_matches(" const");
    (known.contains(&plain) || ["async", "const"].contains(&plain)).then(|| {
        words
            .1
            .trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
    })
}

/// The lines of a file that declare a function which is compiled with the library.
fn compiled_with_the_library(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut counts = true; // outside of a block with copies, a trait, a macro
    for (at, line) in lines.iter().enumerate() {
        let depth = line.len() - line.trim_start().len();
        if depth == 0 && *line != "{" && (line.ends_with('{') || line.starts_with("impl")) {
            let block = ["trait ", "macro_rules!", "mod ", "thread_local!"];
            counts = !block.iter().any(|word| line.contains(word))
                && !line.strip_prefix("impl").is_some_and(has_copies);
        }
        let Some(parameters) = declared(line).filter(|_| depth == 0 || depth == 4 && counts) else {
            continue;
        };
        let ends = |line: &&str| line.ends_with('{') || line.ends_with(';') || line.ends_with('}');
        let end = at + lines[at..].iter().position(ends).unwrap();
        let whole = lines[at..=end].join(" ");
        let by_impl = [": impl ", "&impl ", "&mut impl ", "(impl "];
        let copies = has_copies(parameters) || by_impl.iter().any(|word| whole.contains(word));
        let attributes = lines[..at].iter().rev();
        let inlined = attributes
            .take_while(|line| !line.trim().is_empty() && !line.ends_with('}'))
            .any(|line| line.contains("#[inline"));
        if !copies && !inlined && !whole.ends_with(';') {
            found.push(at + 1);
        }
    }
    found
}

#[test]
fn functions_that_a_small_program_does_not_use_are_inline() {
    let mut missing = Vec::new();
    for (file, text) in rust_files("coro-core/src") {
        let in_rooms = ROOMS.iter().any(|room| file.starts_with(room));
        if in_rooms && !file.ends_with("interleavings.rs") {
            let lines = compiled_with_the_library(&text);
            missing.extend(lines.into_iter().map(|line| format!("{file}:{line}")));
        }
    }
    assert!(
        missing.is_empty(),
        "these functions lack `#[inline]`, so every program compiles them, used or not:\n{}",
        missing.join("\n")
    );
}

#[test]
fn a_function_without_inline_is_found_and_one_with_copies_is_left() {
    let text = "fn a() {\n}\n#[inline]\nfn b() {\n}\nfn c<T>() {\n}\nfn d(x: impl Fn()) {\n}\n\
                impl<'a> X<'a> {\n    pub fn e(&self) {\n    }\n}\nimpl<T> X<T> {\n    fn f() {\n    }\n}\n";
    assert_eq!(compiled_with_the_library(text), [1, 11]);
}
