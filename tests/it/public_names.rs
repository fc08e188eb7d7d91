//! The list of public names of `coro`, compared with `tests/public_names.txt`.
//!
//! The facade names every item that it exports, and re-exports some modules of coro-core whole. Both
//! are read here as text, so that a change of the interface shows as a changed line of that file.
//! After an intended change, `scripts/bless` writes the file again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The most items, macros included and modules not, that the root of `coro` may have.
const ROOT_MAX: usize = 40;

/// A public name, and the path of the item that it stands for.
struct Name {
    path: String,
    origin: String,
}

/// A module whose items are being listed.
struct Module<'a> {
    /// How users reach it.
    path: &'a str,
    /// The path that stands before names used in it, if they are its own files'.
    origin: &'a str,
    /// The folder of the files of its submodules.
    folder: PathBuf,
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The file of the module `name`, if the folder has one.
fn file_of(folder: &Path, name: &str) -> Option<PathBuf> {
    let files = [
        folder.join(format!("{name}.rs")),
        folder.join(name).join("mod.rs"),
    ];
    files.into_iter().find(|file| file.exists())
}

/// The public items of a module's text: one string each, joined over its lines. The content of an
/// inline module follows its head, after a line break.
fn items(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut hidden = false;
    let mut lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        if line == "#[doc(hidden)]" {
            hidden = true;
            continue;
        }
        if !line.starts_with("pub ") {
            hidden &= line.starts_with('#');
            continue;
        }
        let mut item = line.to_owned();
        let end: &[char] = if line.starts_with("pub use") {
            &[';']
        } else {
            &[';', '{']
        };
        while !item.contains(end) {
            item.push(' ');
            item.push_str(lines.next().expect("an item that ends").trim());
        }
        if line.starts_with("pub mod") && line.ends_with('{') {
            for line in lines.by_ref().take_while(|line| *line != "}") {
                item.push('\n');
                item.push_str(line.strip_prefix("    ").unwrap_or(line));
            }
        }
        if !std::mem::take(&mut hidden) {
            found.push(item);
        }
    }
    found
}

/// The paths that a `use` names, with the name that each is given.
fn uses(tree: &str) -> Vec<(String, String)> {
    let tree = tree.trim();
    let Some((before, list)) = tree.split_once('{') else {
        let (path, name) = tree.split_once(" as ").unwrap_or((tree, last(tree)));
        return vec![(path.to_owned(), name.to_owned())];
    };
    let list = list.strip_suffix('}').expect("a list that ends");
    assert!(!list.contains('{'), "one list in a `use`: {tree}");
    list.split(',')
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| uses(&format!("{before}{}", part.trim())))
        .collect()
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// The name of an item that is defined in place.
fn defined(item: &str) -> &str {
    let words = item.split([' ', '<', '(', ';', '{', ':']);
    let kinds = [
        "fn", "struct", "enum", "trait", "type", "const", "static", "mod",
    ];
    let mut words = words.skip_while(|word| !kinds.contains(word));
    words
        .nth(1)
        .unwrap_or_else(|| panic!("an item of no known kind: {item}"))
}

impl Module<'_> {
    fn list(&self, text: &str, names: &mut Vec<Name>) {
        for item in items(text) {
            match item.strip_prefix("pub use ") {
                Some(tree) => self.list_uses(tree.trim_end_matches(';'), names),
                None => self.list_defined(&item, names),
            }
        }
    }

    fn list_uses(&self, tree: &str, names: &mut Vec<Name>) {
        for (path, name) in uses(tree) {
            let own = format!("{}::{name}", self.path);
            match path
                .strip_prefix("coro_core::")
                .filter(|rest| is_module(rest))
            {
                Some(rest) => list_module_of_core(rest, &own, names),
                None => names.push(Name {
                    path: own,
                    origin: self.origin_of(&path),
                }),
            }
        }
    }

    fn origin_of(&self, path: &str) -> String {
        match path.split_once("::") {
            Some(("crate", rest)) => format!("coro_core::{rest}"),
            Some(("coro_core" | "coro_macros", _)) => path.to_owned(),
            _ => format!("{}::{path}", self.origin),
        }
    }

    fn list_defined(&self, item: &str, names: &mut Vec<Name>) {
        let name = defined(item);
        let path = format!("{}::{name}", self.path);
        let origin = format!("{}::{name}", self.origin);
        if item.starts_with("pub mod") {
            let inner = Module {
                path: &path,
                origin: &origin,
                folder: self.folder.join(name),
            };
            let text = match item.split_once('\n') {
                Some((_, text)) => text.to_owned(),
                None if item.ends_with("{}") => String::new(), // a page of the guide
                None => read(&file_of(&self.folder, name).expect("a file of the module's own")),
            };
            inner.list(&text, names);
        }
        names.push(Name { path, origin });
    }
}

/// Whether coro-core has a public module of this name.
fn is_module(name: &str) -> bool {
    read(&root().join("coro-core/src/lib.rs")).contains(&format!("pub mod {name};"))
}

fn list_module_of_core(name: &str, path: &str, names: &mut Vec<Name>) {
    let folder = root().join("coro-core/src");
    let origin = format!("coro_core::{name}");
    let text = read(&file_of(&folder, name).expect("a file of the module's own"));
    let module = Module {
        path,
        origin: &origin,
        folder: folder.join(name),
    };
    module.list(&text, names);
    names.push(Name {
        path: path.to_owned(),
        origin,
    });
}

fn public_names() -> Vec<Name> {
    let mut names = Vec::new();
    let facade = Module {
        path: "coro",
        origin: "coro",
        folder: root().join("src"),
    };
    facade.list(&read(&root().join("src/lib.rs")), &mut names);
    names.sort_by(|a, b| a.path.cmp(&b.path));
    names
}

#[test]
fn every_public_name_is_in_the_list() {
    let names: Vec<String> = public_names().into_iter().map(|name| name.path).collect();
    let text = names.join("\n") + "\n";
    let file = root().join("tests/public_names.txt");
    if std::env::var_os("CORO_NAMES").is_some_and(|value| value == "overwrite") {
        fs::write(&file, &text).unwrap();
    }
    let pinned = read(&file);
    for line in text
        .lines()
        .filter(|line| !pinned.lines().any(|other| other == *line))
    {
        println!("new: {line}");
    }
    for line in pinned
        .lines()
        .filter(|line| !text.lines().any(|other| other == *line))
    {
        println!("gone: {line}");
    }
    assert!(
        pinned == text,
        "the public names changed; if that is meant, run scripts/bless"
    );
}

#[test]
fn every_public_item_has_one_path() {
    let mut paths = BTreeMap::new();
    for Name { path, origin } in public_names() {
        if let Some(other) = paths.insert(origin, path.clone()) {
            panic!("{path} is also {other}");
        }
    }
}

#[test]
fn the_root_has_what_every_program_needs() {
    let is_type_or_function = |name: &&Name| {
        let name = name.path.strip_prefix("coro::").unwrap_or_default();
        !name.contains("::") && !is_module(name)
    };
    let names = public_names();
    let count = names.iter().filter(is_type_or_function).count();
    assert!(
        count <= ROOT_MAX,
        "{count} names at the root: a module is the place of the newest"
    );
}
