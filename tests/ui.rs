//! Programs that the attributes accept, or refuse with a pinned message.
//!
//! `pass/` holds a program for each shape of function, which is run. `fail/` holds a mistake in
//! each file. The compiler's message for it is pinned, because users read that first.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiler whose messages are pinned. Other versions may word them differently, but refuse the
/// same.
const PINNED_WITH: &str = "1.95.0";

/// The folder of the copies, when the mistakes are compiled only to see that they are refused.
const COPIES: &str = "CORO_UI_COPIES";

#[test]
fn accepted() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}

#[test]
fn refused() {
    match env::var_os(COPIES) {
        Some(copies) => trybuild::TestCases::new().compile_fail(Path::new(&copies).join("*.rs")),
        None if compiler() == PINNED_WITH => {
            trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
        }
        None => refused_in_whatever_words(),
    }
}

/// Runs this test again on copies, in a process where trybuild writes the compiler's messages
/// instead of comparing them. A mistake that compiles still fails the test.
fn refused_in_whatever_words() {
    let copies = copy_of("tests/ui/fail");
    let status = Command::new(env::current_exe().expect("a test knows its own path"))
        .args(["--exact", "refused"])
        .env(COPIES, copies)
        .env("TRYBUILD", "overwrite")
        .status()
        .expect("the test that runs can be run");
    assert!(status.success(), "a mistake was accepted: see above");
}

fn copy_of(folder: &str) -> PathBuf {
    let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused");
    let _ = fs::remove_dir_all(&copies);
    fs::create_dir_all(&copies).expect("the target directory can be written to");
    let sources = fs::read_dir(folder).expect("tests run in the folder of their package");
    let mut copied = 0;
    for source in sources {
        let source = source.expect("a folder can be listed").path();
        if source
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            let name = source.file_name().expect("a file has a name");
            fs::copy(&source, copies.join(name)).expect("a file can be copied");
            copied += 1;
        }
    }
    assert!(copied > 0, "there is no mistake in {folder}");
    copies
}

/// The version of the compiler that trybuild will use.
fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("--version")
        .output()
        .expect("there is a compiler");
    let text = String::from_utf8(output.stdout).expect("a version is text");
    text.split(' ')
        .nth(1)
        .expect("the version is the second word")
        .to_owned()
}
