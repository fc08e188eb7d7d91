//! The words in which a suite is written: suites of cases, cases of subjects.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::machine::{cpu_time, thread_time};

/// A sample repeats its body, after once to warm up, at least so often ..
const REPEATS_MIN: usize = 5;

/// .. and a short one until it has taken so long, to find the machine's quiet moments ..
const SAMPLE_MIN: Duration = Duration::from_millis(200);

/// .. but not more often than this.
const REPEATS_MAX: usize = 500;

/// Some cases that belong together.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) cases: Vec<Case>,
    pub(crate) rounds: usize,
    pub(crate) quick_rounds: usize,
    pub(crate) pinned: bool,
    pub(crate) minutes_max: u64,
}

/// One thing that several subjects do.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The subject that the others are divided by.
    pub(crate) reference: &'static str,
    pub(crate) subjects: Vec<Subject>,
    pub(crate) goals: Vec<Goal>,
}

pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) run: Box<dyn Fn(&Effort) -> Sample>,
}

/// What a subject is to the goals of its case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// The one that has goals.
    Coro,
    #[default]
    Peer,
    /// What cannot be beaten, or what the price is measured from: no peer.
    Floor,
}

/// What a sample has found, or why it could not be taken here.
pub(crate) type Sample = Result<Vec<Reading>, String>;

/// One thing that a sample has found, in each of its repeats.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// Which of several readings of a case this is; of one only, nothing.
    pub(crate) what: String,
    pub(crate) unit: String,
    pub(crate) values: Vec<f64>,
}

/// How much work a sample is to do, and where.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effort {
    pub(crate) quick: bool,
    /// The core that the sample is bound to.
    pub(crate) core: Option<usize>,
    /// A core for second threads.
    pub(crate) other_core: Option<usize>,
}

/// What `coro` should reach in a case.
pub(crate) struct Goal {
    /// The reading it is about.
    pub(crate) what: &'static str,
    pub(crate) bound: Bound,
}

pub(crate) enum Bound {
    /// At most so much.
    AtMost(f64),
    /// At most so many times what the named subject needs.
    Times(f64, &'static str),
    /// The best of the peers needs at least so many times what `coro` needs.
    AheadOfPeers(f64),
}

impl Suite {
    pub(crate) fn new(name: &'static str, about: &'static str) -> Self {
        Suite {
            name,
            about,
            cases: Vec::new(),
            rounds: 7,
            quick_rounds: 2,
            pinned: true,
            minutes_max: 2,
        }
    }

    pub(crate) fn case(mut self, case: Case) -> Self {
        self.cases.push(case);
        self
    }

    /// So many rounds, unless the command line says otherwise.
    pub(crate) fn rounds(mut self, rounds: usize, quick_rounds: usize) -> Self {
        (self.rounds, self.quick_rounds) = (rounds, quick_rounds);
        self
    }

    /// For what uses several cores itself.
    pub(crate) fn unpinned(mut self) -> Self {
        self.pinned = false;
        self
    }

    /// Gives a sample this long before it is taken for hung.
    pub(crate) fn minutes_max(mut self, minutes: u64) -> Self {
        self.minutes_max = minutes;
        self
    }
}

impl Case {
    /// A case whose subjects are compared with the one called `reference`.
    pub(crate) fn new(name: &'static str, reference: &'static str) -> Self {
        Case {
            name,
            reference,
            subjects: Vec::new(),
            goals: Vec::new(),
        }
    }

    pub(crate) fn subject(
        mut self,
        name: &'static str,
        role: Role,
        run: impl Fn(&Effort) -> Sample + 'static,
    ) -> Self {
        let run = Box::new(run);
        self.subjects.push(Subject { name, role, run });
        self
    }

    pub(crate) fn goal(self, bound: Bound) -> Self {
        self.goal_for("", bound)
    }

    /// A goal for one of several readings.
    pub(crate) fn goal_for(mut self, what: &'static str, bound: Bound) -> Self {
        self.goals.push(Goal { what, bound });
        self
    }
}

impl Reading {
    pub(crate) fn new(what: &str, unit: &str, values: Vec<f64>) -> Self {
        Reading {
            what: what.to_owned(),
            unit: unit.to_owned(),
            values,
        }
    }

    pub(crate) fn one(what: &str, unit: &str, value: f64) -> Self {
        Reading::new(what, unit, vec![value])
    }
}

impl Effort {
    /// The full number, or a tenth of it in a quick run.
    pub(crate) fn count(&self, full: u64) -> u64 {
        if self.quick { full / 10 } else { full }
    }
}

/// Nanoseconds an operation of a body that does `ops` of them, in CPU time of this thread: what
/// other programs do meanwhile is not counted.
pub(crate) fn time<T>(ops: u64, mut body: impl FnMut() -> T) -> Sample {
    time_by(thread_time, ops, &mut body)
}

/// As [`time`], in CPU time of all threads of this process.
pub(crate) fn time_in_process<T>(ops: u64, mut body: impl FnMut() -> T) -> Sample {
    time_by(cpu_time, ops, &mut body)
}

fn time_by<T>(clock: impl Fn() -> Duration, ops: u64, body: &mut impl FnMut() -> T) -> Sample {
    black_box(body());
    let (mut values, start) = (Vec::new(), Instant::now());
    while wants_more(&values, start) {
        let begin = clock();
        black_box(body());
        values.push(ns_an_op(clock() - begin, ops));
    }
    Ok(vec![Reading::new("", "ns", values)])
}

/// As [`time_async`], in CPU time of all threads of this process.
pub(crate) async fn time_async_in_process<F: Future>(
    ops: u64,
    body: impl FnMut() -> F,
) -> Vec<Reading> {
    time_async_by(cpu_time, ops, body).await
}

/// As [`time`], for a body that awaits tasks of the same thread.
pub(crate) async fn time_async<F: Future>(ops: u64, body: impl FnMut() -> F) -> Vec<Reading> {
    time_async_by(thread_time, ops, body).await
}

/// As [`time_async`], by the clock on the wall: for work that is spread over several threads.
pub(crate) async fn time_wall<F: Future>(ops: u64, body: impl FnMut() -> F) -> Vec<Reading> {
    let start = Instant::now();
    time_async_by(|| start.elapsed(), ops, body).await
}

async fn time_async_by<F: Future>(
    clock: impl Fn() -> Duration,
    ops: u64,
    mut body: impl FnMut() -> F,
) -> Vec<Reading> {
    black_box(body().await);
    let (mut values, start) = (Vec::new(), Instant::now());
    while wants_more(&values, start) {
        let begin = clock();
        black_box(body().await);
        values.push(ns_an_op(clock() - begin, ops));
    }
    vec![Reading::new("", "ns", values)]
}

fn wants_more(values: &[f64], start: Instant) -> bool {
    let count = values.len();
    count < REPEATS_MIN || (count < REPEATS_MAX && start.elapsed() < SAMPLE_MIN)
}

fn ns_an_op(time: Duration, ops: u64) -> f64 {
    time.as_nanos() as f64 / ops as f64
}
