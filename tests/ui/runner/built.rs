//! The libraries that cargo has built, as arguments of the compiler.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

pub(crate) struct Built {
    /// Where the compiler finds the crates.
    pub(crate) arguments: Vec<String>,
    /// A folder for what the compiler makes.
    pub(crate) scratch: PathBuf,
}

impl Built {
    /// The libraries that this very test was built with: cargo compiles none of them again.
    pub(crate) fn for_this_test() -> Self {
        let this = ["test", "--no-run", "--test", "ui"];
        Self::by_cargo("ui", &this, &["coro", "futures", "tracing"], ".rlib")
    }

    /// coro with the features that are on by default. A mistake needs no more of it than its types.
    pub(crate) fn by_default() -> Self {
        let plain = ["check", "-p", "coro-rs", "--lib"];
        Self::by_cargo("ui-off", &plain, &["coro"], ".rmeta")
    }

    /// Asks cargo for the libraries `named`, in files that end so.
    fn by_cargo(scratch: &str, command: &[&str], named: &[&str], ending: &str) -> Self {
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join(scratch);
        let _ = fs::remove_dir_all(&scratch);
        fs::create_dir_all(&scratch).expect("the target directory can be written to");
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .current_dir(crate::workspace())
            .args(command)
            .args(["--quiet", "--offline", "--message-format", "json"])
            .args(["--profile", &profile()])
            .output()
            .expect("cargo can be run");
        assert!(output.status.success(), "{}", crate::text(&output));
        let said = String::from_utf8(output.stdout).expect("cargo writes text");
        let libraries = said.lines().filter_map(|line| library(line, ending));
        let libraries: Vec<(String, PathBuf)> = libraries.collect();

        let mut arguments = Vec::new();
        for name in named {
            let found = libraries.iter().find(|(library, _)| library == name);
            let (_, file) = found.unwrap_or_else(|| panic!("cargo has built no library {name}"));
            let folder = file.parent().expect("a file is in a folder");
            arguments.push(format!("--extern={name}={}", file.display()));
            arguments.push(format!("-Ldependency={}", folder.display()));
        }
        Self { arguments, scratch }
    }
}

/// The name of a library and its file, if this line of cargo's is about one.
fn library(line: &str, ending: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let name = message["target"]["name"].as_str()?;
    let mut files = message["filenames"].as_array()?.iter();
    let file = files.find_map(|file| file.as_str().filter(|file| file.ends_with(ending)))?;
    Some((name.replace('-', "_"), file.into()))
}

/// The profile of this program, which its folder is named after.
fn profile() -> String {
    let this = env::current_exe().expect("a test knows its own path");
    let folder = this.ancestors().nth(2).and_then(Path::file_name);
    let folder = folder.expect("cargo puts a test into `deps`, in the folder of the profile");
    match folder.to_string_lossy().as_ref() {
        "debug" => "dev".to_owned(),
        other => other.to_owned(),
    }
}
