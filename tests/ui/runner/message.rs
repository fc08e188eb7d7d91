//! The compiler's words without what differs from machine to machine.

use std::path::Path;

/// Lines that say nothing of the mistake.
const LEFT_OUT: [&str; 4] = [
    "error: aborting due to ",
    "Some errors have detailed explanations:",
    "For more information about this error",
    "For more information about an error",
];

/// The message of the compiler about the program `source`. Of other files it keeps the text, not the
/// numbers of the lines, which change whenever the file does.
pub(crate) fn normalised(message: &str, source: &Path) -> String {
    let source = source.to_string_lossy();
    let here = format!("{}/", crate::workspace().display());
    let mut lines: Vec<String> = Vec::new();
    let mut elsewhere = false;
    for line in message.lines() {
        if LEFT_OUT.iter().any(|start| line.starts_with(start)) || is_name_of_a_file(line) {
            continue;
        }
        let line = in_the_program(line, &source).replace(&here, "");
        match place(&line) {
            Some(at) => {
                let file = public_path(&line[at..]);
                elsewhere = !file.starts_with(&*source);
                let file = if elsewhere {
                    without_numbers(&file)
                } else {
                    file
                };
                lines.push(format!("{}{file}", &line[..at]));
            }
            None if elsewhere && is_of_a_snippet(&line) => lines.push(without_number(&line)),
            None => {
                elsewhere = false;
                lines.push(line);
            }
        }
    }
    let text = with_short_lists(shifted(&lines)).join("\n");
    format!("{}\n", text.trim_end().replace("\n\n\n", "\n\n"))
}

/// Names of closures have the place of the program, which shall be told from a place of a message.
fn in_the_program(line: &str, source: &str) -> String {
    line.replace(&format!("@{source}"), &format!("@$DIR/{source}"))
}

/// Where the path of `--> path` or `::: path` begins.
fn place(line: &str) -> Option<usize> {
    let text = line.trim_start();
    let marked = text.starts_with("--> ") || text.starts_with("::: ");
    marked.then(|| line.len() - text.len() + 4)
}

/// A path that is the same on every machine.
fn public_path(path: &str) -> String {
    if let Some((_, rest)) = path.split_once("/library/")
        && path.contains("rust")
    {
        return format!("$RUST/{rest}");
    }
    let Some((_, rest)) = path.split_once("/registry/src/") else {
        return path.to_owned();
    };
    let mut parts = rest.splitn(3, '/').skip(1);
    let (package, file) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let name = package.rsplit_once('-').map_or(package, |(name, _)| name);
    format!("$CARGO/{name}-$VERSION/{file}")
}

/// `main.rs:22:29` without its numbers.
fn without_numbers(path: &str) -> String {
    let is_number = |c: char| c.is_ascii_digit() || c == ':';
    path.trim_end_matches(is_number).to_owned()
}

fn is_of_a_snippet(line: &str) -> bool {
    let rest = line.trim_start_matches([' ', '.']).trim_start();
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.trim_start().starts_with('|') || line == "..." || line.starts_with("... |")
}

/// `10 | T: Send` with spaces for the number.
fn without_number(line: &str) -> String {
    let digits = line.len()
        - line
            .trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
            .len();
    format!("{}{}", " ".repeat(digits), &line[digits..])
}

/// Lists of types without those after the eighth, since a new type would change each list.
fn with_short_lists(lines: Vec<String>) -> Vec<String> {
    let mut short: Vec<String> = Vec::new();
    let mut listed = None;
    for line in lines {
        match &mut listed {
            Some(types) if line.starts_with("            ") => {
                *types += 1;
                match *types {
                    ..=8 => short.push(line),
                    9 => short.push("          and $N others".to_owned()),
                    _ => {}
                }
                continue;
            }
            _ => listed = None,
        }
        if line
            .trim_start()
            .starts_with("= help: the following other types")
        {
            listed = Some(0);
        }
        short.push(line);
    }
    short
}

/// The compiler writes names that are too long into files.
fn is_name_of_a_file(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("= note: the full name for the type has been written to")
        || line.starts_with("= note: consider using `--verbose` to print the full type name")
}

/// The width of the numbers of lines is that of the longest number, also of another file. So each message
/// is shifted to the left as far as its narrowest line allows.
fn shifted(lines: &[String]) -> Vec<String> {
    let mut shifted = Vec::new();
    let mut rest = lines;
    while let Some(first) = rest.first() {
        let end = rest.iter().skip(1).position(|line| begins(line));
        let (message, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        let room = message.iter().filter_map(|line| gutter(line)).min();
        let room = room.unwrap_or(0);
        for line in message {
            shifted.push(match gutter(line).is_some() || is_continued(line) {
                true if !begins(first) => line.clone(),
                true => cut(line, room),
                false => line.clone(),
            });
        }
        rest = after;
    }
    shifted
}

fn begins(line: &str) -> bool {
    ["error", "warning"].iter().any(|word| {
        let rest = line.strip_prefix(word);
        rest.is_some_and(|rest| rest.starts_with([':', '[']))
    })
}

/// The spaces that a line with a gutter could lose.
fn gutter(line: &str) -> Option<usize> {
    let dots = if line.starts_with("... ") { 3 } else { 0 };
    let spaces = line[dots..].len() - line[dots..].trim_start_matches(' ').len();
    let rest = &line[dots + spaces..];
    if dots > 0 {
        return Some(spaces);
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = &rest[digits..];
    let after = rest.len() - rest.trim_start_matches(' ').len();
    let rest = &rest[after..];
    let marked = ["|", "~", "+", "-"].iter().any(|mark| {
        let rest = rest.strip_prefix(mark);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    });
    let placed = ["--> ", "::: ", "= "]
        .iter()
        .any(|mark| rest.starts_with(mark));
    match digits {
        0 if marked || placed => Some((spaces + after).saturating_sub(1)),
        1.. if marked && spaces + after > 0 => Some((spaces + after).saturating_sub(1)),
        _ => None,
    }
}

/// A further line of a note, below the note's first.
fn is_continued(line: &str) -> bool {
    line.starts_with("          ")
}

fn cut(line: &str, room: usize) -> String {
    let at = line.find(' ').unwrap_or(0);
    match line[at..].starts_with(&" ".repeat(room)) {
        true => format!("{}{}", &line[..at], &line[at + room..]),
        false => line.to_owned(),
    }
}
