//! Measures `coro` beside its peers; `README.md` says how to run it, with the meaning of each case.
#![forbid(unsafe_code)]
#![recursion_limit = "512"] // rustc counts each of the nested futures of the suite `chain`

mod arguments;
mod harness;
mod machine;
mod package;
mod page;
mod pictures;
mod progress;
mod record;
mod report;
mod runner;
mod runtimes;
mod suites;
mod work;

use std::process::ExitCode;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("coro-bench: {message}");
            return ExitCode::from(2);
        }
    };
    match arguments.command {
        Command::Help => {
            println!("{}", arguments::usage());
            ExitCode::SUCCESS
        }
        Command::Sample(place) => runner::sample(&place, arguments.effort),
        Command::Suites(names) => {
            runner::run(&names, &arguments.settings, arguments.effort);
            ExitCode::SUCCESS
        }
        Command::Report { file, folder } => match page::write(&file, &folder) {
            Ok(page) => {
                println!("{}", page.display());
                ExitCode::SUCCESS
            }
            Err(message) => {
                eprintln!("coro-bench: {message}");
                ExitCode::FAILURE
            }
        },
    }
}
