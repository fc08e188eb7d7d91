//! A cargo package that exists for the time of a sample.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace that this program was built in, whose `coro` is measured.
pub(crate) const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Makes rustc stop after it has expanded all macros. Only nightly compilers take the switch, so
/// `RUSTC_BOOTSTRAP=1` admits it; the compiler that is measured is the stable one.
const STOP_EARLY: &str = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec \"$@\" -Zno-analysis\n";

/// A package in a temporary folder, with a target folder of its own; dropping it removes both.
pub(crate) struct Package {
    folder: PathBuf,
}

/// The profile of a build.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Build {
    Debug,
    Release,
}

impl Package {
    /// The line of a manifest that makes a package depend on `coro`.
    pub(crate) fn needs_coro() -> String {
        format!("coro = {{ package = \"coro-rs\", path = {WORKSPACE:?} }}")
    }

    /// As [`needs_coro`](Package::needs_coro), with one feature alone.
    pub(crate) fn needs_coro_with(feature: &str) -> String {
        format!(
            "coro = {{ package = \"coro-rs\", path = {WORKSPACE:?}, default-features = false, \
             features = [{feature:?}] }}"
        )
    }

    pub(crate) fn new(name: &str, dependency: &str) -> Result<Self, String> {
        let folder = format!("coro-bench-{}-{name}", std::process::id());
        let package = Package {
            folder: std::env::temp_dir().join(folder),
        };
        let manifest = format!(
            "[package]\nname = {name:?}\nedition = \"2024\"\n\n\
             [dependencies]\n{dependency}\n\n[workspace]\n"
        );
        package.write("Cargo.toml", &manifest)?;
        // The same versions as everywhere in the workspace.
        let lock = fs::read_to_string(Path::new(WORKSPACE).join("Cargo.lock"));
        package.write("Cargo.lock", &lock.map_err(|error| error.to_string())?)?;
        Ok(package)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(name);
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    /// Runs cargo in the package; returns its output.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Result<String, String> {
        output(self.command(arguments))
    }

    /// Builds the package with its dependencies.
    pub(crate) fn build(&self, build: Build) -> Result<(), String> {
        let arguments: &[&str] = match build {
            Build::Debug => &["build"],
            Build::Release => &["build", "--release"],
        };
        self.cargo(arguments).map(drop)
    }

    /// The size of the files that cargo has left in the target folder, in millions of bytes.
    pub(crate) fn target_megabytes(&self) -> Result<f64, String> {
        let bytes = size(&self.folder.join("target"), &mut HashSet::new());
        Ok((bytes.map_err(|error| error.to_string())? as f64 / 1e6).round())
    }

    /// Parses the package and expands its macros, then stops.
    pub(crate) fn expand(&self) -> Result<(), String> {
        self.write("wrapper", STOP_EARLY)?;
        let wrapper = self.folder.join("wrapper");
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
        let mut command = self.command(&["check"]);
        command.env("RUSTC_WORKSPACE_WRAPPER", wrapper);
        output(command).map(drop)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .env("CARGO_INCREMENTAL", "0");
        command
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        // If this fails, the system's own cleaning of its temporary folder removes the rest.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The bytes of all files below a path, each once: cargo gives some a second name.
fn size(path: &Path, seen: &mut HashSet<u64>) -> io::Result<u64> {
    let about = fs::symlink_metadata(path)?;
    if about.is_dir() {
        let entries = fs::read_dir(path)?;
        return entries.map(|entry| size(&entry?.path(), seen)).sum();
    }
    Ok(if seen.insert(about.ino()) {
        about.len()
    } else {
        0
    })
}

/// The output of a command; if it fails, the first error that it printed.
fn output(mut command: Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let messages = String::from_utf8_lossy(&output.stderr);
    let error = messages.lines().find(|line| line.starts_with("error"));
    Err(format!(
        "cargo failed: {}",
        error.unwrap_or("it does not say why")
    ))
}
