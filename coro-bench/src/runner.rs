//! Takes the samples, each in a process of its own.
//!
//! A process of its own gives every sample the same fresh heap and thread-locals, and contains a
//! subject that crashes or hangs. The subjects of a case take turns within a round, so that the
//! machine's good and bad phases hit all alike.

use std::io::Read;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::arguments::{Place, Settings};
use crate::harness::{Case, Effort, Reading, Sample, Subject, Suite};
use crate::progress::Progress;
use crate::record::Circumstances;
use crate::report::{self, Outcome};
use crate::{machine, suites};

/// Runs the suites with these names, and prints what they find, case by case.
pub(crate) fn run(names: &[String], settings: &Settings, mut effort: Effort) {
    let cores = machine::cores();
    // The first core serves most interrupts, so the measured thread gets the last one.
    effort.other_core = cores.first().copied();
    effort.core = cores.last().copied().filter(|_| !settings.unpinned);
    let suites: Vec<Suite> = suites::all()
        .filter(|suite| names.iter().any(|name| name == suite.name))
        .collect();
    let is_wanted = |case: &&Case| {
        let part = settings.case.as_ref();
        part.is_none_or(|part| case.name.contains(part))
    };
    let count = suites
        .iter()
        .map(|suite| suite.cases.iter().filter(is_wanted).count());
    let mut progress = Progress::new(count.sum());
    if settings.json {
        println!("{}", Circumstances::of_today(effort.quick).to_json());
    }
    for suite in &suites {
        if !settings.json {
            report::head(suite);
        }
        for case in suite.cases.iter().filter(is_wanted) {
            progress.begin(&format!("{}: {}", suite.name, case.name));
            let outcomes = run_case(suite, case, settings, effort);
            progress.end();
            match settings.json {
                true => report::json(suite, case, &outcomes),
                false => report::table(case, &outcomes),
            }
        }
    }
}

/// Takes one sample and passes it to the parent process through standard output.
pub(crate) fn sample(place: &Place, effort: Effort) -> ExitCode {
    let suites: Vec<Suite> = suites::all().collect();
    let subject = suites
        .iter()
        .filter(|suite| suite.name == place.suite)
        .flat_map(|suite| &suite.cases)
        .filter(|case| case.name == place.case)
        .flat_map(|case| &case.subjects)
        .find(|subject| subject.name == place.subject);
    let Some(subject) = subject else {
        eprintln!("coro-bench: there is no such sample");
        return ExitCode::from(2);
    };
    machine::bind(effort.core);
    match (subject.run)(&effort) {
        Ok(readings) => readings
            .iter()
            .for_each(|reading| println!("{}", written(reading))),
        Err(reason) => println!("skipped\t{}", reason.replace('\n', " ")),
    }
    ExitCode::SUCCESS
}

fn run_case<'a>(
    suite: &Suite,
    case: &'a Case,
    settings: &Settings,
    effort: Effort,
) -> Vec<Outcome<'a>> {
    let rounds = match effort.quick {
        true => suite.quick_rounds,
        false => suite.rounds,
    };
    let wanted = |subject: &&Subject| {
        let name = subject.name;
        settings.subjects.is_empty() || settings.subjects.iter().any(|wanted| wanted == name)
    };
    let mut outcomes: Vec<Outcome<'a>> = case
        .subjects
        .iter()
        .filter(wanted)
        .map(Outcome::new)
        .collect();
    let count = outcomes.len();
    for round in 0..settings.rounds.unwrap_or(rounds) {
        for turn in 0..count {
            let outcome = &mut outcomes[(round + turn) % count];
            if !outcome.is_given_up() {
                outcome.add(take(suite, case, outcome.subject, effort));
            }
        }
    }
    outcomes
}

/// Starts a process that takes one sample, and reads its result.
fn take(suite: &Suite, case: &Case, subject: &Subject, effort: Effort) -> Sample {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    if effort.quick {
        command.arg("--quick");
    }
    if let Some(core) = effort.core.filter(|_| suite.pinned) {
        command.args(["--core", &core.to_string()]);
    }
    if let Some(core) = effort.other_core {
        command.args(["--other-core", &core.to_string()]);
    }
    let mut child = command
        .args(["--sample", suite.name, case.name, subject.name])
        .env("RUST_BACKTRACE", "0") // the first line of a failure is enough
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the sample's process did not start: {error}"))?;
    await_end(&mut child, Duration::from_secs(60 * suite.minutes_max))?;
    let mut out = String::new();
    let pipe = child.stdout.as_mut().expect("the standard output is piped");
    pipe.read_to_string(&mut out)
        .map_err(|error| error.to_string())?;
    out.lines().map(read).collect()
}

/// Waits until a sample's process ends; an error if it fails or hangs.
fn await_end(child: &mut Child, at_most: Duration) -> Result<(), String> {
    let begin = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("failed: {}", last_words(child, status))),
            Ok(None) if begin.elapsed() < at_most => std::thread::sleep(Duration::from_millis(2)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("hung: not done after {} s", at_most.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// The first line of a failed sample's standard error that is not the panic's header, or else its
/// status.
fn last_words(child: &mut Child, status: std::process::ExitStatus) -> String {
    let mut text = String::new();
    if let Some(pipe) = &mut child.stderr {
        let _ = pipe.read_to_string(&mut text);
    }
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    match lines.find(|line| !line.contains("panicked at")) {
        Some(line) => line.trim().chars().take(100).collect(),
        None => status.to_string(),
    }
}

fn written(reading: &Reading) -> String {
    let values: Vec<String> = reading.values.iter().map(f64::to_string).collect();
    format!("{}\t{}\t{}", reading.what, reading.unit, values.join(" "))
}

fn read(line: &str) -> Result<Reading, String> {
    let fields: Vec<&str> = line.split('\t').collect();
    match fields[..] {
        ["skipped", reason] => Err(reason.to_owned()),
        [what, unit, values] => {
            let values = values.split(' ').filter_map(|value| value.parse().ok());
            Ok(Reading::new(what, unit, values.collect()))
        }
        _ => Err(format!("a sample printed no reading: {line}")),
    }
}
