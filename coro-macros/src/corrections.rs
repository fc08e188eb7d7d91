//! Corrections of names that no attribute knows.

use proc_macro2::Ident;

use crate::args::{Accepted, Argument};

/// The argument that an unknown name most likely stands for.
pub(crate) fn nearest(accepted: &Accepted, name: &Ident) -> Option<Argument> {
    let name = name.to_string().to_lowercase();
    let mut names = accepted.names().iter().copied();
    let is_meant = |argument: &Argument| {
        let allowed = if argument.name().len() < 6 { 1 } else { 2 };
        argument.synonyms().contains(&name.as_str()) || distance(&name, argument.name()) <= allowed
    };
    names.find(is_meant)
}

/// The remedy for a name that is no argument, but says what its author wants.
pub(crate) fn remedy(name: &Ident) -> Option<&'static str> {
    match name.to_string().as_str() {
        "async" => Some("write `async fn` instead"),
        "return" | "returns" | "output" => {
            Some("the type that the body returns stands after `->`, as in any function")
        }
        "flavor" | "worker_threads" | "core_threads" | "threads" => Some(
            "an event loop runs on one thread: remove this; `threads = N` runs a `main` on each of N \
             cores, `coro::threads` has threads for blocking calls",
        ),
        "start_paused" => Some("the clock of a `#[coro::test]` is virtual already: remove this"),
        _ => None,
    }
}

/// The number of letters to insert, remove, replace or exchange with a neighbour.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for (i, letter) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in right.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(letter != other);
            let mut least = replaced.min(row[j] + 1).min(rows[i][j + 1] + 1);
            if i > 0 && j > 0 && *letter == right[j - 1] && left[i - 1] == *other {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;
    use crate::args::{COROUTINE, TEST};

    fn meant(accepted: &Accepted, name: &str) -> Option<&'static str> {
        let name = Ident::new(name, Span::call_site());
        nearest(accepted, &name).map(Argument::name)
    }

    #[test]
    fn a_misspelt_name_means_its_neighbour() {
        for (written, name) in [
            ("yield", "yields"),
            ("yeilds", "yields"),
            ("Yields", "yields"),
            ("item", "yields"),
            ("resume", "resumes"),
            ("sned", "send"),
            ("Send", "send"),
            ("boxd", "boxed"),
            ("box", "boxed"),
            ("krate", "crate"),
        ] {
            assert_eq!(meant(&COROUTINE, written), Some(name), "{written}");
        }
        assert_eq!(meant(&TEST, "rael"), Some("real"));
    }

    #[test]
    fn a_name_that_resembles_none_means_none() {
        for written in ["u32", "String", "static", "self", "loud", "threads", "a"] {
            assert_eq!(meant(&COROUTINE, written), None, "{written}");
        }
    }
}
