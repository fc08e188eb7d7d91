//! Children on a system that lacks something, which strace simulates.

use std::env;
use std::fs;
use std::process::{self, Stdio};

use coro::process::Command;
use coro::{spawn, timeout};

use crate::process::{assert_no_children, assert_reaped};
use crate::support::{ms, turns};

const MARK: &str = "CORO_TEST_UNDER_STRACE";

/// Runs the test `name` again under strace, with these arguments. Returns strace's output.
pub(crate) fn under_strace(name: &str, arguments: &[&str]) -> Option<String> {
    let trace = env::temp_dir().join(format!("coro-trace-{}-{}", process::id(), name.len()));
    let run = process::Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&trace)
        .args(arguments)
        .arg(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(MARK, "yes")
        .output();
    let traced = fs::read_to_string(&trace);
    let _ = fs::remove_file(&trace);
    let output = match run {
        Ok(output)
            if traced.is_ok() && !String::from_utf8_lossy(&output.stderr).contains("PTRACE") =>
        {
            output
        }
        _ => {
            println!("skipped, as there is no strace that works");
            return None;
        }
    };
    let out = String::from_utf8_lossy(&output.stdout);
    let passed = output.status.success() && out.contains("1 passed");
    assert!(passed, "{out}\n{}", String::from_utf8_lossy(&output.stderr));
    let traced = traced.ok()?;
    let injects = arguments
        .iter()
        .any(|argument| argument.starts_with("inject"));
    assert!(!injects || traced.contains("(INJECTED)"), "{traced}");
    Some(traced)
}

pub(crate) fn is_under_strace() -> bool {
    env::var_os(MARK).is_some()
}

fn sleeping() -> Command {
    let mut sleep = Command::new("sleep");
    sleep.arg("3600").kill_on_drop(true);
    sleep
}

#[test]
fn without_pidfds_threads_wait() {
    if is_under_strace() {
        return coro::run(wait_by_threads());
    }
    let name = "process_injected::without_pidfds_threads_wait";
    under_strace(
        name,
        &[
            "-e",
            "trace=pidfd_open",
            "-e",
            "inject=pidfd_open:error=ENOSYS",
        ],
    );
}

async fn wait_by_threads() {
    let mut command = Command::shell("exit 7");
    assert_eq!(command.status().await.unwrap().code(), Some(7));
    let mut child = sleeping().spawn().unwrap();
    let (first, second) = (spawn(child.wait()), spawn(child.wait()));
    turns(3).await;
    let given_up = timeout(ms(1), child.wait()).await;
    assert!(given_up.is_err());
    child.kill().unwrap();
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(child.id(), None);
    drop(sleeping().spawn().unwrap());
    assert_no_children();
}

#[test]
fn a_child_whose_pipes_cannot_be_waited_for_is_killed_and_reaped() {
    if is_under_strace() {
        return coro::run(refuse_pipes());
    }
    let name = "process_injected::a_child_whose_pipes_cannot_be_waited_for_is_killed_and_reaped";
    // The first call of `epoll_ctl` registers the loop's own wake-up, so it must succeed.
    let inject = "inject=epoll_ctl:error=ENOSPC:when=2+";
    under_strace(name, &["-e", "trace=epoll_ctl", "-e", inject]);
}

async fn refuse_pipes() {
    for group in [false, true] {
        let mut command = sleeping();
        let error = command
            .kill_group(group)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("cannot wait for, and have therefore killed, \"sleep\": "),
            "{text}"
        );
        assert_reaped();
    }
    // A thread waits for a child without pipes.
    assert!(Command::new("true").status().await.unwrap().success());
    drop(sleeping().spawn().unwrap());
    assert_no_children();
}

#[test]
fn making_a_child_copies_no_memory() {
    if is_under_strace() {
        return coro::run(async {
            for mut command in [Command::new("true"), Command::shell("true")] {
                command.env("A", "b").current_dir("/").kill_group(true);
                assert!(command.output().await.unwrap().status.success());
            }
        });
    }
    let name = "process_injected::making_a_child_copies_no_memory";
    let Some(trace) = under_strace(name, &["-e", "trace=clone,clone3,fork,vfork"]) else {
        return;
    };
    let made = trace
        .lines()
        .filter(|line| line.contains("SIGCHLD") && line.contains("clone"));
    let made: Vec<_> = made.collect();
    assert!(made.len() >= 2, "{trace}");
    for line in made {
        assert!(
            line.contains("CLONE_VFORK") && line.contains("CLONE_VM"),
            "{line}"
        );
    }
}
