//! The command line: a command with its settings.

use std::path::PathBuf;

use crate::harness::Effort;
use crate::suites;

/// The command that was asked for, with its options.
pub(crate) struct Arguments {
    pub(crate) command: Command,
    pub(crate) settings: Settings,
    pub(crate) effort: Effort,
}

pub(crate) enum Command {
    Help,
    /// Runs these suites.
    Suites(Vec<String>),
    /// Takes one sample in this process. A run starts such a process for each sample.
    Sample(Place),
    /// Draws the run in this file into a folder.
    Report {
        file: PathBuf,
        folder: PathBuf,
    },
}

/// One subject of one case.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) suite: String,
    pub(crate) case: String,
    pub(crate) subject: String,
}

/// Which samples a run takes, and how it reports them.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) json: bool,
    pub(crate) unpinned: bool,
    pub(crate) rounds: Option<usize>,
    pub(crate) case: Option<String>,
    pub(crate) subjects: Vec<String>,
}

pub(crate) fn usage() -> String {
    format!(
        "usage: coro-bench [--json] [--suite NAME]... [--case PART] [--subject NAME]... [--quick]
                  [--rounds N] [--no-pin]
       coro-bench --report FILE [FOLDER]

  --json          one JSON object a line instead of tables
  --suite NAME    only this suite; may be repeated; of: {}
  --case PART     only cases whose names contain this
  --subject NAME  only this subject; may be repeated
  --quick         a tenth of the work, fewer rounds: to see that all runs, not to quote
  --rounds N      the number of rounds, instead of each suite's own
  --no-pin        leave the choice of a core to the system
  --report FILE   draws a run that --json wrote: README.md, a picture a suite, in FOLDER,
                  which is `report` if it is not given",
        suites::names()
    )
}

impl Arguments {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut words = words;
        let mut settings = Settings::default();
        let mut effort = Effort::default();
        let mut suites = Vec::new();
        while let Some(word) = words.next() {
            let mut value = || {
                let value = words.next();
                value.ok_or_else(|| format!("`{word}` needs a value\n\n{}", usage()))
            };
            match &*word {
                "--json" => settings.json = true,
                "--quick" => effort.quick = true,
                "--no-pin" => settings.unpinned = true,
                "--rounds" => settings.rounds = Some(number(&value()?)?.max(1)),
                "--case" => settings.case = Some(value()?),
                "--subject" => settings.subjects.push(value()?),
                "--suite" => suites.push(known(value()?)?),
                "--core" => effort.core = Some(number(&value()?)?),
                "--other-core" => effort.other_core = Some(number(&value()?)?),
                "--sample" => {
                    let place = Place {
                        suite: value()?,
                        case: value()?,
                        subject: value()?,
                    };
                    let command = Command::Sample(place);
                    return Ok(Arguments {
                        command,
                        settings,
                        effort,
                    });
                }
                "--report" => {
                    let file = value()?.into();
                    let folder = words.next().unwrap_or_else(|| "report".to_owned()).into();
                    return Ok(Arguments {
                        command: Command::Report { file, folder },
                        settings,
                        effort,
                    });
                }
                "--help" | "-h" => {
                    let command = Command::Help;
                    return Ok(Arguments {
                        command,
                        settings,
                        effort,
                    });
                }
                _ => return Err(format!("unknown argument `{word}`\n\n{}", usage())),
            }
        }
        if suites.is_empty() {
            suites = suites::all().map(|suite| suite.name.to_owned()).collect();
        }
        let command = Command::Suites(suites);
        Ok(Arguments {
            command,
            settings,
            effort,
        })
    }
}

fn number(word: &str) -> Result<usize, String> {
    word.parse()
        .map_err(|_| format!("`{word}` is not a number"))
}

fn known(suite: String) -> Result<String, String> {
    match suites::all().any(|known| known.name == suite) {
        true => Ok(suite),
        false => Err(format!(
            "no suite is called `{suite}`; there are: {}",
            suites::names()
        )),
    }
}
