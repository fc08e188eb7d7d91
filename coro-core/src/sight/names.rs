//! Names of types, shortened for a reader.

/// A name longer than this is cut.
const LENGTH_MAX: usize = 120;

/// A type's name without the modules of libraries that every program has, without lifetimes, and
/// without the marks of closures and `async` blocks.
pub(super) fn short(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !is_of_path(c)).unwrap_or(rest.len());
        let (path, after) = rest.split_at(end);
        push_path(path, &mut out);
        let mut others = after.chars();
        rest = match others.next() {
            Some('\'') => after_lifetime(others.as_str()),
            Some('>') if out.ends_with('<') => {
                out.pop(); // the lifetimes were all that stood between
                others.as_str()
            }
            Some(other) => {
                out.push(other);
                others.as_str()
            }
            None => "",
        };
    }
    match out.char_indices().nth(LENGTH_MAX) {
        Some((at, _)) => format!("{}..", &out[..at]),
        None => out,
    }
}

fn is_of_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || !c.is_ascii() || matches!(c, '_' | ':' | '{' | '}' | '#')
}

/// The text behind a lifetime and the comma or blank that follows it.
fn after_lifetime(text: &str) -> &str {
    let rest =
        text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || c == '_');
    rest.trim_start_matches([',', ' '])
}

fn push_path(path: &str, out: &mut String) {
    let mut parts = Vec::new();
    let mut next = Some(path);
    while let Some(rest) = next {
        let (part, others) = split_path(rest);
        if !part.starts_with('{') {
            parts.push(part);
        }
        next = others;
    }
    let is_known = matches!(
        parts.first(),
        Some(&("coro_core" | "core" | "alloc" | "std"))
    );
    let shown = match parts.as_slice() {
        [.., owner, last] if is_known && is_type(owner) => &[*owner, *last][..],
        [.., last] if is_known => &[*last],
        all => all,
    };
    for (at, part) in shown.iter().enumerate() {
        if at > 0 {
            out.push_str("::");
        }
        out.push_str(part);
    }
}

/// The first part of a path, and the parts behind it.
fn split_path(path: &str) -> (&str, Option<&str>) {
    match find(path, "::") {
        Some(at) => (&path[..at], Some(&path[at + 2..])),
        None => (path, None),
    }
}

/// The place of a text in another. The names of types are short: the search of the standard library,
/// made for long texts, would be most of the code here.
pub(super) fn find(text: &str, wanted: &str) -> Option<usize> {
    let last = text.len().checked_sub(wanted.len())?;
    (0..=last).find(|&at| text.as_bytes()[at..].starts_with(wanted.as_bytes()))
}

fn is_type(part: &str) -> bool {
    part.starts_with(char::is_uppercase)
}

/// The name of a type alone: without its modules and parameters, and without pointers to it.
pub(super) fn bare(name: &str) -> &str {
    let mut name = name;
    loop {
        name = name.trim_start_matches(['&', ' ']);
        name = name.strip_prefix("mut ").unwrap_or(name);
        let (mut last, parameters) = match find(name, "<") {
            Some(at) => (&name[..at], &name[at + 1..]),
            None => (name, ""),
        };
        while let (_, Some(others)) = split_path(last) {
            last = others;
        }
        match last {
            "Rc" | "Arc" | "Box" | "Pin" | "Descriptor" if !parameters.is_empty() => {
                name = parameters
            }
            _ => return last.trim_end_matches('>'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_without_the_modules_of_libraries_and_the_marks_of_closures() {
        let timeout = "coro_core::time::timeout::Timeout<demo::read_frame::{{closure}}>";
        assert_eq!(short(timeout), "Timeout<demo::read_frame>");
        let read =
            "futures_util::io::read_exact::ReadExact<'_, coro_core::net::tcp_stream::TcpStream>";
        assert_eq!(
            short(read),
            "futures_util::io::read_exact::ReadExact<TcpStream>"
        );
        let boxed =
            "core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future<Output = ()>>>";
        assert_eq!(short(boxed), "Pin<Box<dyn Future<Output = ()>>>");
        assert_eq!(
            short("coro_core::net::tcp_stream::TcpStream::connect::{{closure}}"),
            "TcpStream::connect"
        );
        assert_eq!(
            short("&mut coro_core::task::join::Task<()>"),
            "&mut Task<()>"
        );
        assert!(short(&"x".repeat(5000)).len() < 130);
    }

    #[test]
    fn a_bare_name_is_that_of_the_type_behind_pointers() {
        assert_eq!(
            bare("&coro_core::sync::lock::Lock<alloc::string::String>"),
            "Lock"
        );
        assert_eq!(
            bare("alloc::rc::Rc<coro_core::sync::semaphore::Semaphore>"),
            "Semaphore"
        );
    }
}
