//! Shrinking a failing run: fewer decisions that are not the plainest, and smaller ones.

use super::run_once::SimRun;
use crate::choices::{ChoicePlace, Script};

/// Shrinking stops after this number of runs.
const RUNS_MAX: u32 = 1_000;

/// The least script found that fails as `first` does, with the number of runs that it took.
pub(super) struct Shrunk {
    pub(super) script: Script,
    pub(super) runs: u32,
    /// Whether the same decisions made the test fail again at all.
    pub(super) fails_again: bool,
}

/// Runs the test with scripts that have less and less. `run` runs it with one.
pub(super) fn shrink(first: &SimRun, run: &dyn Fn(Script) -> SimRun) -> Shrunk {
    let mut search = Shrinking {
        best: Vec::new(),
        runs: 0,
        first,
        run,
    };
    let all: Vec<_> = first.script().iter().collect();
    let fails_again = search.attempt(&all);
    if !fails_again {
        search.best = all;
    } else {
        while search.drop_blocks() | search.lower_values() {}
    }
    Shrunk {
        script: search.best.into_iter().collect(),
        runs: search.runs,
        fails_again,
    }
}

struct Shrinking<'a> {
    /// The decisions of the best script so far, in the order in which they were taken.
    best: Vec<(ChoicePlace, u32)>,
    runs: u32,
    first: &'a SimRun,
    run: &'a dyn Fn(Script) -> SimRun,
}

impl Shrinking<'_> {
    /// Runs the test with these decisions. If it fails as before, they are the best so far.
    fn attempt(&mut self, decisions: &[(ChoicePlace, u32)]) -> bool {
        if self.runs >= RUNS_MAX {
            return false;
        }
        self.runs += 1;
        let run = (self.run)(decisions.iter().copied().collect());
        let fails = match (&run.failure, &self.first.failure) {
            (Some(failure), Some(first)) => failure.is_like(first),
            _ => false,
        };
        if fails {
            // Some of the decisions may not have been asked for: they are not needed.
            let taken = run.taken.iter().filter(|taken| taken.chosen != 0);
            self.best = taken.map(|taken| (taken.place, taken.chosen)).collect();
        }
        fails
    }

    /// Takes away blocks of halving size; gives whether any could go.
    fn drop_blocks(&mut self) -> bool {
        let before = self.best.len();
        let mut size = before;
        while size > 0 {
            let mut at = 0;
            while at < self.best.len() {
                let end = (at + size).min(self.best.len());
                let rest = [&self.best[..at], &self.best[end..]].concat();
                if !self.attempt(&rest) {
                    at += size;
                }
            }
            size /= 2;
        }
        self.best.len() < before
    }

    /// Lowers the single values; gives whether any could be lowered.
    fn lower_values(&mut self) -> bool {
        let mut any = false;
        let mut at = 0;
        while at < self.best.len() {
            let value = self.best[at].1;
            let lower = [1, value / 2, value - value / 8, value - 1];
            let lowered = lower.into_iter().filter(|&less| 0 < less && less < value);
            let is_lower = lowered.into_iter().any(|less| {
                let mut decisions = self.best.clone();
                decisions[at].1 = less;
                self.attempt(&decisions)
            });
            any |= is_lower;
            at += usize::from(!is_lower);
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::super::run_once::RunFailure;
    use super::*;
    use crate::choices::{ChoiceKind, Choices, Series};

    /// A run that takes a hundred decisions, and fails if two of them are as they must be.
    fn run(choices: &Choices) -> SimRun {
        let of = |n| choices.choose(ChoiceKind::Delay, Series::named("d").and(n), 1000);
        let values: Vec<u32> = (0..100).map(of).collect();
        let fails = values[17] >= 40 && values[71] >= 3;
        SimRun {
            failure: fails.then(|| RunFailure {
                text: "it fails".to_owned(),
                place: None,
            }),
            steps: 100,
            digest: 0,
            taken: choices.take_taken(),
            trace: Vec::new(),
        }
    }

    #[test]
    fn a_failure_is_shrunk_to_the_least_values_that_it_needs() {
        let first = run(&Choices::from_seed(1));
        assert!(first.failure.is_some() && first.script().len() > 90);
        let shrunk = shrink(&first, &|script| run(&Choices::from_script(script)));
        let mut values: Vec<u32> = shrunk.script.iter().map(|(_, value)| value).collect();
        values.sort_unstable();
        assert!(shrunk.fails_again);
        assert_eq!(values, [3, 40]);
    }

    #[test]
    fn a_failure_that_does_not_come_again_is_left_as_it_is() {
        let first = run(&Choices::from_seed(1));
        let shrunk = shrink(&first, &|_| run(&Choices::from_script(Script::default())));
        assert!(!shrunk.fails_again);
        assert_eq!((shrunk.script, shrunk.runs), (first.script(), 1));
    }
}
