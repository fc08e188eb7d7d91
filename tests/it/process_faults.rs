//! Programs that cannot be run, limits that are reached while children are started.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Stdio;

use coro::process::Command;
use coro::{gather, timeout};

use crate::descriptors::{OPEN, in_a_process_of_its_own, is_in_a_process_of_its_own};
use crate::process::assert_reaped;
use crate::support::ms;

#[track_caller]
fn refused(command: &mut Command) -> io::Error {
    let error = command.spawn().expect_err("this cannot run");
    let program = command.as_std().get_program();
    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot run {program:?}")),
        "{error}"
    );
    assert!(error.get_ref().unwrap().source().unwrap().is::<io::Error>());
    assert_reaped();
    error
}

/// A file for one test.
fn file(name: &str, content: &[u8], mode: u32) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("coro-process-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let mut file = File::create(&path).unwrap();
    file.write_all(content).unwrap();
    file.set_permissions(fs::Permissions::from_mode(mode))
        .unwrap();
    path
}

#[coro::test]
async fn a_program_that_cannot_be_run_is_refused_with_its_name() {
    let missing = refused(&mut Command::new("no-such-program"));
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(
        missing.to_string(),
        "cannot run \"no-such-program\": No such file or directory (os error 2)"
    );
    let folder = refused(&mut Command::new("/"));
    assert_eq!(folder.kind(), ErrorKind::PermissionDenied);
    let plain = refused(&mut Command::new(file("plain", b"#!/bin/sh\n", 0o644)));
    assert_eq!(plain.kind(), ErrorKind::PermissionDenied);
    let nonsense = refused(&mut Command::new(file("nonsense", b"\0\x01\x02", 0o755)));
    assert!(nonsense.to_string().contains("format"), "{nonsense}");
    let nul = refused(Command::new("true").arg("a\0b"));
    assert_eq!(nul.kind(), ErrorKind::InvalidInput);
    let long = refused(Command::new("true").arg("x".repeat(8 << 20)));
    assert_eq!(long.kind(), ErrorKind::ArgumentListTooLong);
    let nowhere = refused(Command::new("true").current_dir("/nowhere"));
    assert!(
        nowhere
            .to_string()
            .starts_with("cannot run \"true\" in \"/nowhere\": ")
    );
}

#[coro::test]
async fn an_environment_of_any_bytes_reaches_the_child() {
    let odd = OsStr::from_bytes(b"\xff\xfe = \n\t");
    let output = Command::shell("printf %s \"$ODD\"")
        .env("ODD", odd)
        .output()
        .await;
    assert_eq!(output.unwrap().stdout, odd.as_bytes());
}

#[test]
fn a_child_started_as_descriptors_run_out_is_killed_and_reaped_and_nothing_leaks() {
    let name = "process_faults::\
        a_child_started_as_descriptors_run_out_is_killed_and_reaped_and_nothing_leaks";
    if is_in_a_process_of_its_own() {
        coro::run(starve());
    } else {
        in_a_process_of_its_own(name, 64);
    }
}

fn open() -> usize {
    fs::read_dir(OPEN).unwrap().count()
}

/// Starts children, with one more spare descriptor each time.
async fn starve() {
    Command::new("true").status().await.unwrap();
    let before = open();
    let (mut refused, mut ran) = (0, 0);
    for spare in 0..20 {
        let mut files: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        files.truncate(files.len() - spare);
        let mut cat = Command::new("cat");
        let cat = cat
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        match cat.spawn() {
            Err(error) => {
                assert!(error.to_string().contains("\"cat\""), "{error}");
                assert!(error.to_string().contains("Too many open files"), "{error}");
                refused += 1;
            }
            Ok(mut child) => {
                let output = child.communicate("hello").await.unwrap();
                assert_eq!(output.stdout, b"hello");
                ran += 1;
            }
        }
        drop(files);
        assert_reaped();
        assert_eq!(open(), before, "with {spare} to spare");
    }
    assert!(refused > 0 && ran > 0, "{refused} refused, {ran} ran");
}

#[test]
fn a_status_that_another_wait_takes_is_an_error_and_no_hang() {
    let name = "process_faults::a_status_that_another_wait_takes_is_an_error_and_no_hang";
    if !is_in_a_process_of_its_own() {
        return in_a_process_of_its_own(name, 256);
    }
    coro::run(async {
        let mut child = Command::new("sleep").arg("3600").spawn().unwrap();
        let waiting = coro::spawn(child.wait());
        crate::support::turns(3).await;
        child.kill().unwrap();
        while rustix::process::wait(rustix::process::WaitOptions::empty()).is_err() {}
        child.kill().unwrap();
        let lost = waiting.await.unwrap().unwrap_err();
        assert!(lost.to_string().contains("is lost"), "{lost}");
        assert!(child.wait().await.is_err());
        assert!(child.try_wait().is_err());
        assert_eq!(child.id(), None);
    });
}

#[test]
fn with_sigchld_ignored_waiting_is_an_error_and_no_hang() {
    let name = "process_faults::with_sigchld_ignored_waiting_is_an_error_and_no_hang";
    if is_in_a_process_of_its_own() {
        coro::run(async {
            for line in ["exit 0", "sleep 0.05"] {
                let mut command = Command::shell(line);
                let waited = command.status();
                let lost = timeout(ms(20_000), waited).await.unwrap().unwrap_err();
                assert!(lost.to_string().contains("SIGCHLD"), "{lost}");
            }
        });
        return;
    }
    // Not every shell can start a program with SIGCHLD ignored; Python can.
    let python = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); \
                  os.environ['CORO_TEST_DESCRIPTORS'] = '256'; os.execv(sys.argv[1], sys.argv[1:])";
    let run = std::process::Command::new("python3")
        .args(["-c", python])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .output();
    match run {
        Err(_) => println!("skipped, as there is no python3"),
        Ok(output) => assert!(output.status.success(), "{output:?}"),
    }
}

#[test]
fn processes_that_run_out_are_an_error_and_leak_nothing() {
    if is_in_a_process_of_its_own() {
        return coro::run(run_out_of_processes());
    }
    let name = "process_faults::processes_that_run_out_are_an_error_and_leak_nothing";
    let mut run = std::process::Command::new(std::env::current_exe().unwrap());
    run.args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env("CORO_TEST_DESCRIPTORS", "256");
    if rustix::process::getuid().is_root() {
        run.uid(65534); // the limit does not hold for root
    }
    match run.output() {
        Err(error) => println!("skipped, as nobody else may run this: {error}"),
        Ok(output) => assert!(output.status.success(), "{output:?}"),
    }
}

async fn run_out_of_processes() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let run = async || Command::new("true").status().await;
    run().await.unwrap();
    let before = open();
    let limit = getrlimit(Resource::Nproc);
    let none = Rlimit {
        current: Some(1),
        ..limit
    };
    setrlimit(Resource::Nproc, none).unwrap();
    let error = refused(&mut Command::new("true"));
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
    setrlimit(Resource::Nproc, limit).unwrap();
    run().await.unwrap();
    assert_eq!(open(), before);
}

#[coro::test]
async fn a_failure_amid_others_harms_none_of_them() {
    let runs = (0..12).map(|n| async move {
        let program = if n % 3 == 0 {
            "no-such-program"
        } else {
            "true"
        };
        Command::new(program).status().await.is_ok()
    });
    let ran = gather(runs.collect::<Vec<_>>()).await;
    assert_eq!(ran.iter().filter(|ran| **ran).count(), 8);
    assert_reaped();
}
