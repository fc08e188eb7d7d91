//! The vocabulary of a suite: cases, subjects, readings.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::machine::{cpu_time, thread_time};

/// A sample repeats its body at least this often, after one repeat to warm up.
const REPEATS_MIN: usize = 5;

/// A short sample goes on until this time has passed, to find quiet moments of the machine.
const SAMPLE_MIN: Duration = Duration::from_millis(200);

/// The most repeats of a sample.
const REPEATS_MAX: usize = 500;

/// Cases that belong together.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) cases: Vec<Case>,
    pub(crate) rounds: usize,
    pub(crate) quick_rounds: usize,
    pub(crate) pinned: bool,
    pub(crate) minutes_max: u64,
}

/// One operation that several subjects perform.
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

/// How the goals of a case count a subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// The subject that has goals.
    Coro,
    #[default]
    Peer,
    /// A lower bound or the base of a price: not counted among the peers.
    Floor,
}

/// The readings of a sample, or the reason why it could not be taken here.
pub(crate) type Sample = Result<Vec<Reading>, String>;

/// One quantity that a sample measured, with a value for each repeat.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// Tells the readings of a case apart; empty if the case has only one.
    pub(crate) what: String,
    pub(crate) unit: String,
    pub(crate) values: Vec<f64>,
}

/// How much work a sample does, and on which cores.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effort {
    pub(crate) quick: bool,
    /// The core that the sample is bound to.
    pub(crate) core: Option<usize>,
    /// A core for second threads.
    pub(crate) other_core: Option<usize>,
}

/// A bound that `coro` should keep in a case. If several of its subjects take part, the
/// first one counts.
pub(crate) struct Goal {
    /// The reading it is about.
    pub(crate) what: &'static str,
    pub(crate) bound: Bound,
}

pub(crate) enum Bound {
    /// `coro` needs at most this.
    AtMost(f64),
    /// `coro` needs at most this multiple of the named subject's value.
    Times(f64, &'static str),
    /// `coro` needs at most this more than the named subject.
    Over(f64, &'static str),
    /// The best of the peers needs at least this multiple of the value of `coro`.
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

    /// Sets the number of rounds, unless the command line gives one.
    pub(crate) fn rounds(mut self, rounds: usize, quick_rounds: usize) -> Self {
        (self.rounds, self.quick_rounds) = (rounds, quick_rounds);
        self
    }

    /// For a suite whose subjects use several cores themselves.
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

/// Nanoseconds per operation of a body that does `ops` of them, in CPU time of this thread, so that
/// other programs are not counted.
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

/// As [`time_async`], in wall time: for work that is spread over several threads.
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
