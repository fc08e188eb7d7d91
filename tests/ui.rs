//! Programs that the attributes accept, or refuse with a pinned message.
//!
//! `ui/pass` holds a program for each shape of function, which is run. `ui/fail` holds a mistake in each
//! file. The compiler's message for it is pinned, because users read that first. `ui/off` holds uses of
//! features that are off by default, with the messages for a crate that has not turned them on.
//!
//! Cargo builds coro once, and checks it once more for `ui/off`, while other files are compiled. The compiler
//! is called for each file, on as many threads as there are processors; a mistake needs no code made for it. `cargo test --test ui -- gather` takes the files with that word in their names.
//! `CORO_UI=overwrite` writes the messages instead of comparing them.

#[path = "ui/runner/built.rs"]
mod built;
#[path = "ui/runner/message.rs"]
mod message;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::thread;

use built::Built;

/// The compiler whose messages are pinned. Other versions may word them differently, but refuse the
/// same.
const PINNED_WITH: &str = "1.95.0";

fn main() -> ExitCode {
    let Some(wanted) = Wanted::from_arguments() else {
        return ExitCode::SUCCESS;
    };
    let programs = wanted.programs();
    println!("\nrunning {} tests of ui", programs.len());
    if programs.is_empty() {
        return ExitCode::SUCCESS;
    }
    let has = |kind| programs.iter().any(|program| program.kind == kind);
    let built = (has(Kind::Fail) || has(Kind::Pass)).then(Built::for_this_test);
    let by_default = LazyLock::new(Built::by_default);
    let pinned = compiler() == PINNED_WITH;
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        if has(Kind::Off) {
            scope.spawn(|| LazyLock::force(&by_default)); // cargo takes longer than the first files do
        }
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(program) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let built = match program.kind {
                        Kind::Off => &*by_default,
                        Kind::Fail | Kind::Pass => {
                            let built = built.as_ref();
                            built.expect("it is built for the programs that there are")
                        }
                    };
                    if let Err(why) = program.checked(built, pinned) {
                        println!("test {} ... FAILED", program.name);
                        failures.lock().unwrap().push((&program.name, why));
                    }
                }
            });
        }
    });
    report(&failures.into_inner().unwrap(), programs.len())
}

fn report(failures: &[(&String, String)], all: usize) -> ExitCode {
    for (name, why) in failures {
        println!("\n---- {name} ----\n{why}");
    }
    let passed = all - failures.len();
    println!(
        "\ntest result: {passed} passed; {} failed\n",
        failures.len()
    );
    match failures {
        [] => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// The arguments of a test program as far as they choose among the files.
#[derive(Default)]
struct Wanted {
    words: Vec<String>,
    skipped: Vec<String>,
    exact: bool,
}

impl Wanted {
    /// Nothing if the tests shall only be listed, or if those are wanted that are ignored elsewhere.
    fn from_arguments() -> Option<Self> {
        let mut wanted = Self::default();
        let mut arguments = env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" | "--ignored" => return None,
                "--exact" => wanted.exact = true,
                "--skip" => wanted.skipped.extend(arguments.next()),
                "--test-threads" | "--color" | "--format" => drop(arguments.next()),
                option if option.starts_with('-') => {}
                _ => wanted.words.push(argument),
            }
        }
        Some(wanted)
    }

    fn programs(&self) -> Vec<Program> {
        let mut all = programs_of(Kind::Pass);
        all.extend(programs_of(Kind::Fail));
        all.extend(programs_of(Kind::Off)); // they wait for what cargo checks meanwhile
        all.retain(|program| self.names(&program.name));
        all
    }

    fn names(&self, name: &str) -> bool {
        let is = |word: &String| match self.exact {
            true => name == word,
            false => name.contains(word),
        };
        (self.words.is_empty() || self.words.iter().any(is)) && !self.skipped.iter().any(is)
    }
}

/// A file of `ui`.
struct Program {
    name: String,
    /// From the folder of the workspace, so that messages name it in this way.
    source: PathBuf,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// A mistake.
    Fail,
    /// The use of a feature that is off.
    Off,
    /// A program that runs.
    Pass,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Kind::Fail => "fail",
            Kind::Off => "off",
            Kind::Pass => "pass",
        }
    }
}

fn programs_of(kind: Kind) -> Vec<Program> {
    let folder = Path::new("tests/ui").join(kind.folder());
    let files =
        fs::read_dir(workspace().join(&folder)).expect("the folder of the programs is there");
    let files = files.map(|file| file.expect("a folder can be listed").path());
    let mut programs: Vec<Program> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .map(|file| Program {
            name: format!(
                "{}::{}",
                kind.folder(),
                file.file_stem().unwrap().to_string_lossy()
            ),
            source: folder.join(file.file_name().unwrap()),
            kind,
        })
        .collect();
    assert!(
        !programs.is_empty(),
        "there is no program in {}",
        folder.display()
    );
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    programs
}

impl Program {
    fn checked(&self, built: &Built, pinned: bool) -> Result<(), String> {
        let program = built.scratch.join(self.name.replace("::", "-"));
        let output = self.compile(built, &program);
        match self.is_refused() {
            true if output.status.success() => Err("the mistake was accepted".to_owned()),
            true if pinned => self.compare(&message::normalised(&text(&output), &self.source)),
            true => Ok(()),
            false if output.status.success() => run(&program),
            false => Err(text(&output)),
        }
    }

    fn is_refused(&self) -> bool {
        self.kind != Kind::Pass
    }

    fn compile(&self, built: &Built, program: &Path) -> Output {
        let mut rustc = Command::new(rustc());
        rustc
            .current_dir(workspace())
            .env("CARGO_CRATE_NAME", "program") // the compiler then advises as it does below cargo
            .arg(&self.source)
            .args(["--edition=2024", "--crate-name=program", "--crate-type=bin"])
            .args(["--color=never", "--diagnostic-width=140", "--verbose"])
            .args(["-A", "dead_code"])
            .arg(match self.is_refused() {
                true => "--emit=metadata",
                false => "--emit=link",
            })
            .arg("-o")
            .arg(program)
            .args(&built.arguments);
        if self.kind == Kind::Off {
            rustc.arg("--test"); // most of these features are for tests, which are left out otherwise
        }
        rustc.output().expect("there is a compiler")
    }

    fn compare(&self, message: &str) -> Result<(), String> {
        let file = workspace().join(self.source.with_extension("stderr"));
        if env::var_os("CORO_UI").is_some_and(|value| value == "overwrite") {
            return fs::write(file, message).map_err(|error| error.to_string());
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        match expected == message {
            true => Ok(()),
            false => Err(format!(
                "EXPECTED\n{expected}\nBUT THE COMPILER SAYS\n{message}\n\
                 If that is right, `scripts/bless` writes it to the file."
            )),
        }
    }
}

fn run(program: &Path) -> Result<(), String> {
    let output = Command::new(program).output();
    let output = output.map_err(|error| error.to_string())?;
    let _ = fs::remove_file(program);
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{}\n{}", output.status, text(&output))),
    }
}

/// The folder of the workspace. The compiler runs in it.
fn workspace() -> &'static Path {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().expect("the tests stand in the workspace")
}

fn rustc() -> std::ffi::OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The version of the compiler.
fn compiler() -> String {
    let output = Command::new(rustc()).arg("--version").output();
    let output = output.expect("there is a compiler");
    let text = String::from_utf8(output.stdout).expect("a version is text");
    let version = text.split(' ').nth(1);
    version.expect("the version is the second word").to_owned()
}
