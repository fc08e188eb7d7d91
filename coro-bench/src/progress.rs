//! A line of progress on standard error, while a run takes its samples.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How far a run is. On a terminal each case overwrites the line of the one before; elsewhere each
/// has a line of its own.
pub(crate) struct Progress {
    begun: usize,
    all: usize,
    start: Instant,
    on_terminal: bool,
}

impl Progress {
    pub(crate) fn new(cases: usize) -> Self {
        Progress {
            begun: 0,
            all: cases,
            start: Instant::now(),
            on_terminal: io::stderr().is_terminal(),
        }
    }

    /// Says which case is measured now.
    pub(crate) fn begin(&mut self, case: &str) {
        let done = self.begun;
        self.begun += 1;
        let passed = self.start.elapsed();
        // Suites differ in length, so this is a guess, and called one.
        let rest = match done {
            0 => String::new(),
            _ => {
                let left = passed * (self.all - done) as u32 / done as u32;
                format!(", about {} to go", rounded(left))
            }
        };
        let line = format!(
            "[{}/{}] {case} ({}{rest})",
            self.begun,
            self.all,
            rounded(passed)
        );
        let mut out = io::stderr();
        // A closed standard error is no reason to stop a run.
        let _ = match self.on_terminal {
            true => write!(out, "\r\x1b[K{line}").and_then(|()| out.flush()),
            false => writeln!(out, "{line}"),
        };
    }

    /// Makes room for the results of the case.
    pub(crate) fn end(&self) {
        if self.on_terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn rounded(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 90 => format!("{seconds} s"),
        seconds => format!("{} min", (seconds + 30) / 60),
    }
}

#[test]
fn long_times_are_told_in_minutes() {
    assert_eq!(rounded(Duration::from_secs(89)), "89 s");
    assert_eq!(rounded(Duration::from_secs(90)), "2 min");
    assert_eq!(rounded(Duration::from_secs(149)), "2 min");
}
