//! Counts the instructions that the commonest operations take, under valgrind.
//!
//! `scripts/counts.sh` runs it. A count depends on neither the load nor the speed of the machine, so a
//! difference of one percent can be trusted where a time cannot; but it depends on the compiler, whose
//! version stands beside the counts in `coro-bench/instructions.json`.
#![forbid(unsafe_code)]

mod operations;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use serde_json::{Map, Value};

use operations::OPERATIONS;

/// A count may differ by one part in this many before it is said to have changed.
const TOLERANCE: f64 = 0.01;

/// How often an operation is done in the shorter of its two runs.
const ROUNDS: u64 = 20_000;

type Counts = BTreeMap<&'static str, f64>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["run", operation, rounds] => run(operation, rounds),
        ["check", profile] => measure().and_then(|counts| check(profile, &counts)),
        ["write", profile] => measure().and_then(|counts| write(profile, &counts)),
        _ => Err("usage: coro-counts (check | write) PROFILE".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("coro-counts: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Does an operation: this is the process that valgrind watches.
fn run(operation: &str, rounds: &str) -> Result<(), String> {
    let rounds = rounds
        .parse()
        .map_err(|_| format!("{rounds} is no number"))?;
    match OPERATIONS.iter().find(|(name, _)| *name == operation) {
        Some((_, body)) => {
            body(rounds);
            Ok(())
        }
        None => Err(format!("no operation is called {operation}")),
    }
}

/// Instructions a round of every operation. Starting up is the same in both runs, and cancels out.
fn measure() -> Result<Counts, String> {
    let mut counts = Counts::new();
    for (name, _) in OPERATIONS {
        let (short, long) = (total(name, ROUNDS)?, total(name, 2 * ROUNDS)?);
        let count = long.saturating_sub(short) as f64 / ROUNDS as f64;
        println!("{name:<24} {count:>10.1}");
        counts.insert(name, (count * 10.0).round() / 10.0);
    }
    Ok(counts)
}

fn total(operation: &str, rounds: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["run", operation, &rounds.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    said.lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
        .ok_or_else(|| format!("valgrind said no count of {operation}:\n{said}"))
}

fn file() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../instructions.json"))
}

fn compiler() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("-V")
        .output()
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn stored() -> Result<Map<String, Value>, String> {
    let text = match std::fs::read_to_string(file()) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(error) => return Err(error.to_string()),
    };
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file().display()))
}

fn write(profile: &str, counts: &Counts) -> Result<(), String> {
    let mut all = stored()?;
    all.insert("compiler".to_owned(), compiler()?.into());
    let counts = counts
        .iter()
        .map(|(name, count)| ((*name).to_owned(), (*count).into()));
    all.insert(profile.to_owned(), Value::Object(counts.collect()));
    let text = serde_json::to_string_pretty(&all).map_err(|error| error.to_string())?;
    std::fs::write(file(), text + "\n").map_err(|error| error.to_string())
}

fn check(profile: &str, counts: &Counts) -> Result<(), String> {
    let stored = stored()?;
    let (theirs, ours) = (stored.get("compiler").and_then(Value::as_str), compiler()?);
    if theirs != Some(ours.as_str()) {
        println!("not compared: the stored counts are of {theirs:?}, this is {ours}");
        return Ok(());
    }
    let mut more = Vec::new();
    for (name, count) in counts {
        let before = stored
            .get(profile)
            .and_then(|all| all.get(name))
            .and_then(Value::as_f64);
        let Some(before) = before else {
            more.push(format!("{name}: {count}, and none is stored"));
            continue;
        };
        let ratio = count / before;
        if ratio > 1.0 + TOLERANCE {
            more.push(format!(
                "{name}: {before} before, {count} now, {ratio:.3} times"
            ));
        } else if ratio < 1.0 - TOLERANCE {
            println!(
                "fewer: {name}: {before} before, {count} now; `scripts/counts.sh write` keeps that"
            );
        }
    }
    match more.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "more instructions than are stored:\n{}",
            more.join("\n")
        )),
    }
}
