//! `FailedRun`: the failure of a test in a simulation, with the ways to repeat it.

use std::fmt;
use std::thread;

use super::run_once::RunFailure;
use crate::choices::Script;

/// The failure of a test in a simulation, as [`Explore::try_run`](super::Explore::try_run) gives it.
///
/// Its `Display` form has the failure, its place, the seed, the command that repeats it, and at most
/// 40 lines of the shrunk run as a sequence chart.
pub struct FailedRun {
    pub(super) failure: RunFailure,
    pub(super) seed: Option<u64>,
    /// How many runs there were up to the failing one.
    pub(super) runs: u64,
    pub(super) steps: u64,
    pub(super) decisions: usize,
    pub(super) odd: usize,
    pub(super) shrunk: Option<ShrunkRun>,
    /// The name of the test, as `cargo test` has it.
    pub(super) test: Option<String>,
}

/// The same failure with fewer decisions that are not the plainest.
pub(super) struct ShrunkRun {
    pub(super) script: Script,
    pub(super) runs: u32,
    pub(super) steps: u64,
    /// The chart as text, and as a picture: the trace itself cannot be sent to other threads.
    pub(super) text: String,
    pub(super) svg: String,
}

impl FailedRun {
    /// The text of the failure: of the panic, of the error, or of the failures left unseen.
    pub fn message(&self) -> &str {
        &self.failure.text
    }

    /// The place of the panic in the source, if it was one.
    pub fn place(&self) -> Option<&str> {
        self.failure.place.as_deref()
    }

    /// The seed of the failing run, if it had one.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// How many runs there were, the failing one included, but not those that shrank it.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// The decisions of the shrunk run that are not the plainest, for `CORO_REPLAY`; empty if the
    /// failure did not come again or needs none.
    pub fn replay(&self) -> String {
        let script = self.shrunk.as_ref().map(|shrunk| shrunk.script.to_string());
        script.unwrap_or_default()
    }

    /// How many decisions of the shrunk run are not the plainest.
    pub fn odd_decisions(&self) -> usize {
        self.shrunk
            .as_ref()
            .map_or(self.odd, |shrunk| shrunk.script.len())
    }

    /// The shrunk run as a sequence chart, in SVG.
    ///
    /// It is empty if the failure did not come again.
    pub fn chart(&self) -> String {
        let svg = self.shrunk.as_ref().map(|shrunk| shrunk.svg.clone());
        svg.unwrap_or_default()
    }

    /// The command that runs the test again, with a variable set.
    fn command(&self, variable: &str, value: &str) -> String {
        match &self.test {
            Some(test) => format!("{variable}='{value}' cargo test -- --exact {test}"),
            None => format!("{variable}='{value}' cargo test"),
        }
    }
}

impl fmt::Display for FailedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the simulation failed: {}", self.message())?;
        if let Some(place) = self.place() {
            writeln!(f, "  at {place}")?;
        }
        let (runs, steps, odd, all) = (self.runs, self.steps, self.odd, self.decisions);
        writeln!(
            f,
            "in run {runs}, after {steps} steps, with {odd} of {all} decisions not the plainest"
        )?;
        if let Some(seed) = self.seed {
            writeln!(
                f,
                "run it again: {}",
                self.command("CORO_SEED", &format!("{seed:#x}"))
            )?;
        }
        let Some(shrunk) = &self.shrunk else {
            return write!(
                f,
                "the same decisions did not make it fail again: something that is not drawn from the \
                 seed takes part, such as the order of a HashMap, the real clock, or another thread"
            );
        };
        let (odd, steps, runs) = (shrunk.script.len(), shrunk.steps, shrunk.runs);
        writeln!(
            f,
            "shrunk in {runs} runs to {steps} steps with {odd} such decisions: {}",
            self.command("CORO_REPLAY", &self.replay())
        )?;
        write!(f, "{}", shrunk.text)
    }
}

impl fmt::Debug for FailedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for FailedRun {}

/// The name of the test that this thread runs: the harness of Rust names its threads so.
pub(super) fn name_of_test() -> Option<String> {
    let thread = thread::current();
    let name = thread.name().filter(|name| *name != "main");
    name.map(str::to_owned)
}
