//! Edits of a text, and how many of which kind there were.

use std::fmt;
use std::ops::Range;

/// Replacements of ranges of a text.
#[derive(Default)]
pub(crate) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub(crate) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.0.push((at..at, text.into()));
    }

    pub(crate) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.0.push((range, text.into()));
    }

    /// The text with all replacements made; of those at one place the first comes first.
    pub(crate) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(range, _)| range.start);
        let mut edited = String::with_capacity(text.len());
        let mut at = 0;
        for (range, replacement) in self.0 {
            edited.push_str(&text[at..range.start]);
            edited.push_str(&replacement);
            at = range.end;
        }
        edited.push_str(&text[at..]);
        edited
    }
}

/// What was rewritten.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) functions: usize,
    pub(crate) awaits: usize,
    /// Of these, in the arguments of macros.
    pub(crate) in_macros: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Counts) {
        self.functions += other.functions;
        self.awaits += other.awaits;
        self.in_macros += other.in_macros;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.functions, self.awaits, self.in_macros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_made_in_the_order_of_their_places() {
        let mut edits = Edits::default();
        edits.replace(4..5, "E");
        edits.insert(0, "outer ");
        edits.insert(0, "inner ");
        assert_eq!(edits.apply("abcdef"), "outer inner abcdEf");
    }
}
