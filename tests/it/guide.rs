//! The pages of the guide: links, whole programs, tables of names.
//!
//! A page is read in two places: on a Git host, and as a module of `coro::guide`. In rustdoc the
//! list `docs/guide/names.md` stands before the page and defines where its names lead. The end of
//! the page defines the same for a Git host, where names lead to docs.rs and pages to their files.
//! Markdown takes the first definition of a name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const DOCS: &str = "https://docs.rs/coro-rs/latest/coro";

/// Stands between a page and the addresses at its end.
const MARK: &str = "\n<!-- Addresses, written by `scripts/bless` from names.md -->\n";

/// Crates that programs of the guide use without saying so.
const USUAL: [&str; 6] = ["coro", "std", "core", "crate", "self", "super"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of the pages, without the lists of names.
fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join("docs/guide")).unwrap() {
        let path = entry.unwrap().path();
        if !stem(&path).starts_with("names") {
            found.push(path);
        }
    }
    found.sort();
    assert!(found.len() > 10);
    found
}

fn stem(page: &Path) -> String {
    page.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// The text of a page before the addresses at its end.
fn body(text: &str) -> &str {
    text.split_once(MARK).map_or(text, |(body, _)| body)
}

/// A fenced block of code.
struct Block<'a> {
    language: &'a str,
    code: String,
}

/// The text of a page without its blocks of code, and these blocks.
fn split(text: &str) -> (String, Vec<Block<'_>>) {
    let (mut prose, mut blocks) = (String::new(), Vec::new());
    let mut open: Option<Block<'_>> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => blocks.push(block),
            (Some(language), None) => {
                open = Some(Block {
                    language,
                    code: String::new(),
                });
            }
            (None, Some(mut block)) => {
                block.code += line;
                block.code.push('\n');
                open = Some(block);
            }
            (None, None) => {
                prose += line;
                prose.push('\n');
            }
        }
    }
    assert!(open.is_none(), "a block of code that does not end");
    (prose, blocks)
}

fn programs(text: &str) -> impl Iterator<Item = String> {
    let (_, blocks) = split(text);
    let rust = blocks
        .into_iter()
        .filter(|b| b.language.starts_with("rust"));
    rust.map(|block| block.code)
}

/// The definitions of `docs/guide/names.md` and its companion: a name, and where it leads.
fn names() -> BTreeMap<String, String> {
    let text = read("docs/guide/names.md") + &read("docs/guide/names_tls.md");
    let mut names = BTreeMap::new();
    for line in text.lines() {
        let (name, path) = line.split_once("]: ").expect("a definition");
        let name = name.strip_prefix('[').expect("a definition");
        assert!(
            !name.contains(['[', ']']),
            "Markdown ends the list here: {name}"
        );
        let again = names.insert(name.to_owned(), path.to_owned());
        assert!(again.is_none(), "{name} is defined twice");
    }
    names
}

/// Where a path leads on a Git host.
fn address(name: &str, path: &str) -> String {
    if let Some(page) = path.strip_prefix("mod@crate::guide::") {
        return page.replacen('#', ".md#", 1) + if page.contains('#') { "" } else { ".md" };
    }
    let Some((kind, path)) = path.split_once("@crate::") else {
        let (parent, method) = path.rsplit_once("::").expect("a method of a type");
        let types = names().into_values();
        let mut types = types.filter(|path| path.split_once('@').is_some_and(|(_, p)| p == parent));
        let parent = types
            .next()
            .unwrap_or_else(|| panic!("names.md lacks {parent}"));
        return format!("{}#method.{method}", address("", &parent));
    };
    let folders = path.replace("::", "/");
    if kind == "mod" {
        return format!("{DOCS}/{folders}/index.html");
    }
    let kind = if name.starts_with("attribute ") {
        "attr"
    } else {
        kind
    };
    match folders.rsplit_once('/') {
        Some((folders, item)) => format!("{DOCS}/{folders}/{kind}.{item}.html"),
        None => format!("{DOCS}/{kind}.{folders}.html"),
    }
}

/// The names that a page links: `[text][name]`, and [`name`] alone.
fn links(prose: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let pieces: Vec<&str> = prose.split('[').collect();
    for pair in pieces.windows(2) {
        let Some((name, after)) = pair[1].split_once(']') else {
            continue;
        };
        let second = pair[0].ends_with(']');
        let code = name.len() > 1 && name.starts_with('`') && name.ends_with('`');
        let continued = after.is_empty() || after.starts_with(['(', ':']);
        if second || (code && !continued) {
            found.insert(name.to_owned());
        }
    }
    found
}

#[test]
fn every_page_ends_with_the_addresses_of_its_names() {
    let names = names();
    let mut unused: BTreeSet<_> = names.keys().cloned().collect();
    let mut stale = Vec::new();
    for page in pages() {
        let text = read(&page);
        let mut expected = body(&text).trim_end().to_owned() + "\n" + MARK + "\n";
        for name in links(&split(body(&text)).0) {
            let path = names.get(&name);
            let path = path.unwrap_or_else(|| panic!("{}: names.md lacks {name}", stem(&page)));
            writeln!(expected, "[{name}]: {}", address(&name, path)).unwrap();
            // A method's address is that of its type, which the list needs for that.
            let parent = path.rsplit_once("::").map_or("", |(parent, _)| parent);
            unused.retain(|other| *other != name && !names[other].ends_with(&format!("@{parent}")));
        }
        if text != expected {
            if std::env::var("CORO_GUIDE").is_ok_and(|set| set == "overwrite") {
                fs::write(&page, expected).unwrap();
            } else {
                stale.push(stem(&page));
            }
        }
    }
    assert!(
        unused.is_empty(),
        "names.md has names that no page links: {unused:?}"
    );
    assert!(
        stale.is_empty(),
        "scripts/bless writes the ends of these pages: {stale:?}"
    );
}

#[test]
fn every_page_is_a_module_of_the_guide_and_one_click_from_its_front() {
    let modules = read("src/guide.rs");
    let front = links(&split(body(&read("docs/guide/README.md"))).0);
    for page in pages() {
        let page = stem(&page);
        let include = format!("include_str!(\"../docs/guide/{page}.md\")");
        assert!(modules.contains(&include), "src/guide.rs lacks {page}");
        if page != "README" {
            assert!(
                modules.contains(&format!("\npub mod {page} {{}}")),
                "{page}"
            );
            assert!(front.contains(&page), "the front page does not link {page}");
        }
    }
    assert!(read("src/lib.rs").contains("pub mod guide;"));
}

/// The crates that a program names by `use`, or by a path in an attribute.
fn crates(program: &str) -> BTreeSet<&str> {
    let uses = program.lines().filter_map(|line| line.strip_prefix("use "));
    let attributes = program.split("#[").skip(1).filter(|rest| {
        let path = rest.split([']', '(']).next().unwrap_or_default();
        path.contains("::")
    });
    let named = uses.chain(attributes);
    named
        .filter_map(|path| path.split([':', ';']).next())
        .collect()
}

#[test]
fn every_program_of_the_readme_and_the_guide_can_be_pasted_whole() {
    let mut counted = 0;
    let readme = root().join("README.md");
    for page in pages().into_iter().chain([readme]) {
        let text = read(&page);
        let (prose, _) = split(&text);
        for program in programs(body(&text)) {
            let start = program.lines().next().unwrap_or_default();
            let place = format!("{}, {start}", page.display());
            let runs = program.contains("fn main(") || program.contains("#[coro::test]");
            assert!(runs, "{place}: a program without a `main`");
            let hidden = program
                .lines()
                .any(|line| line == "#" || line.starts_with("# "));
            assert!(!hidden, "{place}: a line that a Git host would show");
            for name in crates(&program) {
                let said = USUAL.contains(&name) || prose.contains(&format!("`{name}`"));
                assert!(said, "{place}: the page does not say that it uses `{name}`");
            }
            counted += 1;
        }
    }
    println!("{counted} programs");
    assert!(counted > 80);
}

/// Programs that are tests are dropped when a doctest is compiled, so they stand here as well.
#[test]
fn tests_shown_in_the_guide_are_run() {
    let copies = read("tests/it/guide_tests.rs");
    for page in pages() {
        for program in programs(&read(&page)) {
            for test in program.split("#[coro::test]\n").skip(1) {
                let end = test.find("\n}\n").expect("a test that ends") + 3;
                assert!(
                    copies.contains(&test[..end]),
                    "{}: {}",
                    stem(&page),
                    &test[..end]
                );
            }
        }
    }
}

/// A text without its white space, which rustfmt sets as it likes.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The pieces of code in the last column of the tables whose first column is another library's.
fn counterparts(prose: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut ours = false;
    for line in prose.lines() {
        let row = line
            .trim()
            .strip_prefix("| ")
            .and_then(|row| row.strip_suffix(" |"));
        let Some(row) = row else {
            ours &= line.starts_with("|---");
            continue;
        };
        let row = row.replace("\\|", "\u{0}"); // a bar that is no border
        let (_, last) = row.rsplit_once(" | ").expect("two columns");
        if last == "coro" {
            ours = true;
        } else if ours && !last.contains(": see ") {
            let pieces: Vec<_> = last.split('`').collect();
            let codes = pieces
                .chunks_exact(2)
                .filter(|pair| !pair[0].ends_with('[')); // no links
            found.extend(codes.map(|pair| pair[1].replace('\u{0}', "|")));
        }
    }
    found
}

#[test]
fn every_row_of_a_table_of_names_stands_in_a_program_of_its_page() {
    for page in ["from_asyncio", "from_tokio", "from_async_trait"] {
        let text = read(format!("docs/guide/{page}.md"));
        let programs = dense(&programs(&text).collect::<String>());
        let counterparts = counterparts(&split(&text).0);
        assert!(counterparts.len() > 10, "{page}");
        let missing: Vec<_> = counterparts
            .iter()
            .filter(|code| !code.split("..").all(|part| programs.contains(&dense(part))))
            .collect();
        assert!(
            missing.is_empty(),
            "{page}: not in its programs: {missing:#?}"
        );
    }
}

#[test]
fn the_numbers_of_the_picture_of_speed_are_those_of_coro_bench() {
    let (picture, measured) = (
        read("docs/pictures/speed.svg"),
        read("coro-bench/README.md"),
    );
    let numbers = picture.split("<text class=\"n\"").skip(1);
    let numbers = numbers.filter_map(|rest| rest.split(['>', '<']).nth(1));
    let numbers: Vec<_> = numbers.collect();
    assert!(numbers.len() > 20);
    for number in numbers {
        assert!(
            measured.contains(number),
            "coro-bench/README.md lacks {number}"
        );
    }
}
