//! Outcomes, as tables for people or as rows of a record.

use std::fmt::Write;

use crate::harness::{Bound, Case, Goal, Reading, Role, Sample, Subject, Suite};
use crate::record::{Row, Verdict};

/// All samples of one subject in a case, merged.
pub(crate) struct Outcome<'a> {
    pub(crate) subject: &'a Subject,
    readings: Vec<Reading>,
    failures: Vec<String>,
}

impl<'a> Outcome<'a> {
    pub(crate) fn new(subject: &'a Subject) -> Self {
        Outcome {
            subject,
            readings: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Merges one more sample.
    pub(crate) fn add(&mut self, sample: Sample) {
        match sample {
            Err(reason) => self.failures.push(reason),
            Ok(readings) => readings.into_iter().for_each(|reading| self.merge(reading)),
        }
    }

    /// Whether further samples are a waste of time. One failure may be bad luck; the second
    /// decides.
    pub(crate) fn is_given_up(&self) -> bool {
        self.failures.len() > 1
    }

    /// The line for samples that could not be taken.
    fn excuse(&self) -> Option<String> {
        let reason = self.failures.last()?;
        let name = self.subject.name;
        match self.readings.is_empty() {
            true => Some(format!("{name}: skipped: {reason}")),
            false => Some(format!(
                "{name}: without {} samples: {reason}",
                self.failures.len()
            )),
        }
    }

    fn merge(&mut self, reading: Reading) {
        match self
            .readings
            .iter_mut()
            .find(|known| known.what == reading.what)
        {
            Some(known) => known.values.extend(reading.values),
            None => self.readings.push(reading),
        }
    }

    fn reading(&self, what: &str) -> Option<&Reading> {
        self.readings.iter().find(|reading| reading.what == what)
    }

    fn min(&self, what: &str) -> Option<f64> {
        self.reading(what).map(min)
    }
}

fn min(reading: &Reading) -> f64 {
    reading.values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(reading: &Reading) -> f64 {
    let mut values = reading.values.clone();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => (values[count / 2 - 1] + values[count / 2]) / 2.0,
    }
}

pub(crate) fn head(suite: &Suite) {
    println!("\n=== {}: {}", suite.name, suite.about);
}

/// Prints a case for people: a table for each of its readings, then a line for each goal.
pub(crate) fn table(case: &Case, outcomes: &[Outcome<'_>]) {
    for what in readings(outcomes) {
        print!("{}", one_table(case, outcomes, what));
    }
    for outcome in outcomes {
        if let Some(excuse) = outcome.excuse() {
            println!("  {excuse}");
        }
    }
    for goal in &case.goals {
        if let Some(verdict) = verdict(goal, outcomes) {
            let what = match goal.what {
                "" => String::new(),
                what => format!("{what}, "),
            };
            let met = if verdict.met { "met" } else { "MISSED" };
            let (goal, reached) = (verdict.goal, verdict.reached);
            println!("  goal: {what}{goal}: {reached}, {met}");
        }
    }
}

/// Prints a case as JSON, one object a line for each subject and reading.
pub(crate) fn json(suite: &Suite, case: &Case, outcomes: &[Outcome<'_>]) {
    for outcome in outcomes {
        for reading in &outcome.readings {
            let row = Row {
                suite: suite.name.to_owned(),
                case: title(case, &reading.what),
                subject: outcome.subject.name.to_owned(),
                role: outcome.subject.role,
                value: min(reading),
                median: median(reading),
                unit: reading.unit.clone(),
            };
            println!("{}", row.to_json());
        }
        if let Some(excuse) = outcome.excuse() {
            eprintln!("coro-bench: {}, {}, {excuse}", suite.name, case.name);
        }
    }
    for goal in &case.goals {
        if let Some(verdict) = verdict(goal, outcomes) {
            let verdict = Verdict {
                suite: suite.name.to_owned(),
                case: title(case, goal.what),
                ..verdict
            };
            println!("{}", verdict.to_json());
        }
    }
}

/// The names of the readings in a case, in the order in which they were first given.
fn readings<'a>(outcomes: &'a [Outcome<'_>]) -> Vec<&'a str> {
    let mut names = Vec::new();
    for reading in outcomes.iter().flat_map(|outcome| &outcome.readings) {
        if !names.contains(&&*reading.what) {
            names.push(&*reading.what);
        }
    }
    names
}

fn one_table(case: &Case, outcomes: &[Outcome<'_>], what: &str) -> String {
    let mut text = String::new();
    let times = format!("x {}", case.reference);
    let title = title(case, what);
    let _ = writeln!(
        text,
        "\n{title}\n  {:<24}{:>12}{:>12} {:<7}{times:>14}",
        "", "min", "median", ""
    );
    let reference = outcomes
        .iter()
        .find(|outcome| outcome.subject.name == case.reference)
        .and_then(|outcome| outcome.min(what));
    for outcome in outcomes {
        let Some(reading) = outcome.reading(what) else {
            continue;
        };
        let (low, middle) = (min(reading), median(reading));
        let ratio = match reference {
            Some(reference) if reference != 0.0 => format!("{:.3}", low / reference),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "  {:<24}{:>12}{:>12} {:<7}{ratio:>14}",
            outcome.subject.name,
            figures(low),
            figures(middle),
            reading.unit,
        );
    }
    text
}

fn title(case: &Case, what: &str) -> String {
    match what {
        "" => case.name.to_owned(),
        what => format!("{}, {what}", case.name),
    }
}

/// How `coro` stands to a goal, with the names of suite and case left empty; `None` if a side of the
/// comparison is missing.
fn verdict(goal: &Goal, outcomes: &[Outcome<'_>]) -> Option<Verdict> {
    let of = |role: Role| {
        outcomes
            .iter()
            .filter(move |outcome| outcome.subject.role == role)
    };
    let ours = of(Role::Coro).find_map(|outcome| outcome.min(goal.what))?;
    let of_named = |name: &str| {
        let named = outcomes
            .iter()
            .find(|outcome| outcome.subject.name == name)?;
        named.min(goal.what)
    };
    let (wanted, reached, met) = match goal.bound {
        Bound::AtMost(most) => (format!("at most {most}"), figures(ours), ours <= most),
        Bound::Times(times, name) => {
            let ratio = ours / of_named(name)?;
            (
                format!("at most {times} x {name}"),
                format!("{ratio:.3}"),
                ratio <= times,
            )
        }
        Bound::Over(most, name) => {
            let more = ours - of_named(name)?;
            (
                format!("at most {most} more than {name}"),
                figures(more),
                more <= most,
            )
        }
        Bound::AheadOfPeers(times) => {
            let (best, name) = of(Role::Peer)
                .filter_map(|peer| Some((peer.min(goal.what)?, peer.subject.name)))
                .min_by(|a, b| a.0.total_cmp(&b.0))?;
            let ratio = best / ours;
            let wanted = format!("{times} x as good as the best peer ({name})");
            (wanted, format!("{ratio:.3}"), ratio >= times)
        }
    };
    Some(Verdict {
        suite: String::new(),
        case: String::new(),
        goal: wanted,
        reached,
        met,
    })
}

/// A number with as many figures as are significant.
pub(crate) fn figures(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 10.0 => format!("{value:.3}"),
        size if size < 1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
