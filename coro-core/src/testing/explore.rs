//! `Explore` runs a test in many simulations: with many seeds, or in all orders with few late steps.

use std::collections::BTreeSet;
use std::fmt;

use super::environment::Environment;
use super::failed_run::{FailedRun, ShrunkRun, name_of_test};
use super::output::TestOutput;
use super::run_once::{RunFailure, RunSettings, SimRun, run_once};
use super::shrink::shrink;
use super::sim::Sim;
use super::{chart, picture};
use crate::choices::{ChoiceKind, Choices, Script, TraceEvent, TraceLine};

/// The greatest lag of the exhaustive search: this number of others may pass a wake-up.
const LAG_TRIED: u32 = 3;

/// The exhaustive search gives up after this number of runs.
const COURSES_MAX: u64 = 200_000;

/// Settings of a search for failing courses of a test; made by [`explore`].
///
/// The environment variables `CORO_SEED` and `CORO_REPLAY` replace the search by one run, and
/// `CORO_SEEDS` sets the number of seeds.
#[derive(Clone, Debug)]
#[must_use]
pub struct Explore {
    seeds: Option<u64>,
    late: Option<u32>,
    any_order: bool,
    test: Option<String>,
}

/// A search that found no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    runs: u64,
    distinct: usize,
}

impl Explored {
    /// How many runs there were.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// How many different courses they took: other orders of steps, or other times.
    pub fn distinct(&self) -> usize {
        self.distinct
    }
}

/// Runs a test in many simulations, and shrinks the first failure. `#[coro::test(seeds = N)]` and
/// `(late = K)` are made of it.
///
/// Without [`seeds`](Explore::seeds) and [`late`](Explore::late) the test is run once, with every
/// decision the plainest.
///
/// ```
/// use std::cell::Cell;
/// use coro::testing::explore;
///
/// let failed = explore().seeds(100).try_run(async |_| {
///     let count = Cell::new(0);
///     let add = async || {
///         let seen = count.get();
///         coro::yield_now().await; // another task may count meanwhile
///         count.set(seen + 1);
///     };
///     coro::gather((add(), add())).await;
///     assert_eq!(count.get(), 2);
/// });
/// println!("{}", failed.unwrap_err());
/// ```
pub fn explore() -> Explore {
    Explore {
        seeds: None,
        late: None,
        any_order: false,
        test: name_of_test(),
    }
}

impl Explore {
    /// Runs the test with the seeds from 0 to `count`, and the first of them twice: two runs that
    /// differ are a failure, which names the first step that differs.
    pub fn seeds(mut self, count: u64) -> Self {
        self.seeds = Some(count);
        self
    }

    /// Runs the test in all orders in which at most this number of wake-ups are late, each by up to
    /// three others.
    ///
    /// Courses that came to the same steps as an earlier one are not gone on with. So a course is
    /// missed if the test itself behaves otherwise without a step that differs.
    pub fn late(mut self, wake_ups: u32) -> Self {
        self.late = Some(wake_ups);
        self
    }

    /// Chooses each step among all tasks that are ready; see [`Sim::any_order`].
    pub fn any_order(mut self) -> Self {
        self.any_order = true;
        self
    }

    /// Names the test, for the command that is printed.
    pub(crate) fn named(mut self, test: Option<&str>) -> Self {
        self.test = test.map(str::to_owned).or(self.test);
        self
    }

    /// Runs the test.
    ///
    /// # Panics
    ///
    /// If a run fails, with the [failure](FailedRun).
    #[track_caller]
    pub fn run<T: TestOutput>(&self, test: impl AsyncFn(&Sim) -> T) -> Explored {
        match self.try_run(test) {
            Ok(explored) => explored,
            Err(failed) => panic!("{failed}"),
        }
    }

    /// Runs the test.
    ///
    /// # Errors
    ///
    /// The first [failure](FailedRun): a run panicked, gave an error, left a failure unseen, or took
    /// another course than an earlier run with the same seed.
    ///
    /// # Panics
    ///
    /// Inside of a loop, as each run makes its own; and if an environment variable is malformed.
    pub fn try_run<T: TestOutput>(
        &self,
        test: impl AsyncFn(&Sim) -> T,
    ) -> Result<Explored, Box<FailedRun>> {
        ManyRuns {
            settings: self,
            test: &|choices, settings| run_once(choices, settings, &test),
            runs: 0,
            digests: BTreeSet::new(),
        }
        .go()
    }
}

/// The search does not know the type of the test, so a program of tests has one copy of it.
struct ManyRuns<'a> {
    settings: &'a Explore,
    test: &'a dyn Fn(Choices, RunSettings) -> SimRun,
    runs: u64,
    digests: BTreeSet<u64>,
}

type RunResult = Result<(), Box<FailedRun>>;

impl ManyRuns<'_> {
    fn go(mut self) -> Result<Explored, Box<FailedRun>> {
        let environment = Environment::read();
        let Explore { seeds, late, .. } = *self.settings;
        match (environment.replay, environment.seed) {
            (Some(script), _) => self.replay(script)?,
            (None, Some(seed)) => self.seed(seed, true)?,
            (None, None) => {
                let seeds = seeds.map(|seeds| environment.seeds.unwrap_or(seeds));
                if let Some(seeds) = seeds {
                    self.first_seed()?;
                    (1..seeds).try_for_each(|seed| self.seed(seed, false))?;
                }
                if let Some(late) = late {
                    self.late(late)?;
                }
                if seeds.is_none() && late.is_none() {
                    self.replay(Script::default())?;
                }
            }
        }
        Ok(Explored {
            runs: self.runs,
            distinct: self.digests.len(),
        })
    }

    fn run(&self, choices: Choices, trace: bool) -> SimRun {
        let any_order = self.settings.any_order;
        (self.test)(choices, RunSettings { any_order, trace })
    }

    fn count(&mut self, run: &SimRun) {
        self.runs += 1;
        self.digests.insert(run.digest);
    }

    fn replay(&mut self, script: Script) -> RunResult {
        let wanted = script.len();
        let run = self.run(Choices::from_script(script), true);
        self.count(&run);
        let found = run.script().len();
        if found < wanted {
            println!(
                "CORO_REPLAY has {wanted} decisions, of which only {found} occurred: the program is \
                 not the one that it was written for"
            );
        }
        self.judge(run, None)
    }

    fn seed(&mut self, seed: u64, trace: bool) -> RunResult {
        let run = self.run(Choices::from_seed(seed), trace);
        self.count(&run);
        self.judge(run, Some(seed))
    }

    /// Runs the first seed twice, and compares the runs.
    fn first_seed(&mut self) -> RunResult {
        let first = self.run(Choices::from_seed(0), true);
        let second = self.run(Choices::from_seed(0), true);
        self.count(&first);
        self.count(&second);
        let Some(text) = difference(&first, &second) else {
            return self.judge(first, Some(0));
        };
        let failure = RunFailure { text, place: None };
        Err(Box::new(self.failed(&first, failure, Some(0), None)))
    }

    /// Fails if the run did, after shrinking it.
    fn judge(&self, run: SimRun, seed: Option<u64>) -> RunResult {
        let Some(failure) = run.failure.clone() else {
            return Ok(());
        };
        let shrunk = shrink(&run, &|script| {
            self.run(Choices::from_script(script), false)
        });
        let shrunk = shrunk.fails_again.then(|| {
            let last = self.run(Choices::from_script(shrunk.script.clone()), true);
            ShrunkRun {
                script: shrunk.script,
                runs: shrunk.runs,
                steps: last.steps,
                text: chart::text(&last.trace),
                svg: picture::svg(&last.trace),
            }
        });
        Err(Box::new(self.failed(&run, failure, seed, shrunk)))
    }

    fn failed(
        &self,
        run: &SimRun,
        failure: RunFailure,
        seed: Option<u64>,
        shrunk: Option<ShrunkRun>,
    ) -> FailedRun {
        FailedRun {
            failure,
            seed,
            runs: self.runs,
            steps: run.steps,
            decisions: run.taken.len(),
            odd: run.script().len(),
            shrunk,
            test: self.settings.test.clone(),
        }
    }

    /// Tries all orders with at most `late` late wake-ups: first those with none, then with one, ..
    fn late(&mut self, late: u32) -> RunResult {
        let mut scripts = vec![Script::default()];
        for depth in 0..=late {
            let mut next = Vec::new();
            for script in scripts {
                if self.runs >= COURSES_MAX {
                    println!("the search ended after {COURSES_MAX} courses");
                    return Ok(());
                }
                let run = self.run(Choices::from_script(script.clone()), false);
                let is_new = !self.digests.contains(&run.digest);
                self.count(&run);
                if is_new && depth < late && run.failure.is_none() {
                    extend(&script, &run, &mut next);
                }
                self.judge(run, None)?;
            }
            scripts = next;
        }
        println!(
            "{} courses, {} of them different",
            self.runs,
            self.digests.len()
        );
        Ok(())
    }
}

/// The scripts with one more late wake-up, after the last that `script` has.
fn extend(script: &Script, run: &SimRun, next: &mut Vec<Script>) {
    let order = run
        .taken
        .iter()
        .filter(|taken| taken.place.kind == ChoiceKind::Order);
    let order: Vec<_> = order.collect();
    let last = order.iter().rposition(|taken| taken.chosen != 0);
    for taken in &order[last.map_or(0, |last| last + 1)..] {
        for lag in 1..=LAG_TRIED.min(taken.of - 1) {
            next.push(script.with(taken.place, lag));
        }
    }
}

/// The first step that differs in two runs with the same decisions.
fn difference(first: &SimRun, second: &SimRun) -> Option<String> {
    let steps = |run: &SimRun| -> Vec<TraceLine> {
        let lines = run.trace.iter();
        let steps = lines.filter(|line| matches!(line.event, TraceEvent::Step { .. }));
        steps.cloned().collect()
    };
    let (first, second) = (steps(first), steps(second));
    let at = (0..first.len().max(second.len())).find(|&at| first.get(at) != second.get(at))?;
    let told = |line: Option<&TraceLine>| line.map_or_else(|| "none".to_owned(), tell);
    Some(format!(
        "two runs with the same seed differ: step {} is {} in the first and {} in the second. \
         Something that is not drawn from the seed takes part, such as the order of a HashMap (use a \
         BTreeMap, or a hasher with fixed keys), the real clock (use `coro::time::now`), or another \
         thread",
        at + 1,
        told(first.get(at)),
        told(second.get(at))
    ))
}

fn tell(line: &TraceLine) -> String {
    let milliseconds = line.now as f64 / 1e6;
    match &line.event {
        TraceEvent::Step { name, origin, .. } => format!("{name} of {origin} at {milliseconds} ms"),
        other => format!("{other:?}"),
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} runs, {} of them different", self.runs, self.distinct)
    }
}
