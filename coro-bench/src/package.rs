//! A cargo package for the time of a sample.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace that this program was built in, whose `coro` is measured.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Has rustc say how long each of its passes took; the switch is for nightly compilers, but what
/// it shows is the stable one.
const TIME_PASSES: &str = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec \"$@\" -Ztime-passes\n";

/// A package in a temporary folder, with a target folder of its own; dropping it removes both.
pub(crate) struct Package {
    folder: PathBuf,
}

impl Package {
    /// The line of a manifest that makes a package depend on `coro`.
    pub(crate) fn needs_coro() -> String {
        format!("coro = {{ path = {WORKSPACE:?} }}")
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

    /// Runs cargo in the package; gives what it prints.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Result<String, String> {
        output(self.command(arguments)).map(|(out, _)| out)
    }

    /// Checks the package and not what it depends on; gives what rustc says of its passes.
    pub(crate) fn check_with_passes(&self) -> Result<String, String> {
        self.write("wrapper", TIME_PASSES)?;
        let wrapper = self.folder.join("wrapper");
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
        let mut command = self.command(&["check"]);
        command.env("RUSTC_WORKSPACE_WRAPPER", wrapper);
        output(command).map(|(_, messages)| messages)
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
        // What stays behind is for the system's own cleaning.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a command writes to its two outputs; if it fails, the first error among it.
fn output(mut command: Command) -> Result<(String, String), String> {
    let output = command
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, messages) = (text(&output.stdout), text(&output.stderr));
    if output.status.success() {
        return Ok((out, messages));
    }
    let error = messages.lines().find(|line| line.starts_with("error"));
    Err(format!(
        "cargo failed: {}",
        error.unwrap_or("it does not say why")
    ))
}
