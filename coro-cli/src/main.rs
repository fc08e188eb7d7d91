//! `coro`, the program that lists the tasks of another process.
//!
//! `coro ps PID` and `coro pstree PID`; see the package's README.
#![forbid(unsafe_code)]

use std::process::ExitCode;

#[cfg(target_os = "linux")]
mod door;
#[cfg(target_os = "linux")]
mod elf;
#[cfg(target_os = "linux")]
mod failure;
#[cfg(target_os = "linux")]
mod listing;
#[cfg(target_os = "linux")]
mod map;
#[cfg(target_os = "linux")]
mod mappings;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod tasks;
#[cfg(target_os = "linux")]
mod tree;

const USAGE: &str = "\
usage: coro ps PID        list the tasks of a process: number, state, name, where it was spawned
       coro pstree PID    show where each task waits, if the process answers; else the same list as a
                          tree: which task has spawned which

The process may be busy, stuck or stopped. It has to be a program of coro, and this user has to have
the right to debug it.";

enum Command {
    List(u32),
    Tree(u32),
    Help,
    Version,
}

fn parse(arguments: &[String]) -> Result<Command, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let process = |word: &str| {
        let number = word.parse().ok().filter(|number| *number != 0);
        number.ok_or_else(|| format!("{word:?} is no number of a process"))
    };
    match words[..] {
        ["ps", id] => Ok(Command::List(process(id)?)),
        ["pstree", id] => Ok(Command::Tree(process(id)?)),
        ["--help" | "-h" | "help"] => Ok(Command::Help),
        ["--version" | "-V"] => Ok(Command::Version),
        _ => Err(String::from(
            "a command and the number of a process are needed",
        )),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match parse(&arguments) {
        Err(problem) => {
            eprintln!("coro: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
        Ok(Command::Help) => Ok(format!("{USAGE}\n")),
        Ok(Command::Version) => Ok(format!("coro {}\n", env!("CARGO_PKG_VERSION"))),
        Ok(Command::List(id)) => list(id),
        Ok(Command::Tree(id)) => tree(id),
    };
    match outcome {
        Ok(text) => print(&text),
        Err(problem) => {
            eprintln!("coro: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Prints to standard output. A reader that has enough, such as `head`, is no failure.
fn print(text: &str) -> ExitCode {
    use std::io::{ErrorKind, Write};
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("coro: the list cannot be written: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

#[cfg(target_os = "linux")]
fn list(id: u32) -> Result<String, String> {
    let (process, snapshot) = read(id)?;
    Ok(listing::table(&process, &snapshot))
}

#[cfg(target_os = "linux")]
fn tree(id: u32) -> Result<String, String> {
    let (process, snapshot) = read(id)?;
    let answers = door::ask(&process, &snapshot);
    Ok(tree::text(&process, &snapshot, &answers))
}

#[cfg(target_os = "linux")]
fn read(id: u32) -> Result<(process::Process, tasks::Snapshot), String> {
    let process = process::Process::open(id).map_err(|failure| failure.to_string())?;
    let snapshot = tasks::Snapshot::take(&process).map_err(|failure| failure.to_string())?;
    Ok((process, snapshot))
}

#[cfg(not(target_os = "linux"))]
fn list(_: u32) -> Result<String, String> {
    Err(String::from(
        "the memory of another process can be read on Linux only, so far",
    ))
}

#[cfg(not(target_os = "linux"))]
fn tree(id: u32) -> Result<String, String> {
    list(id)
}
