//! Children whose futures are dropped before their ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use coro::process::Command;
use coro::{sleep, spawn, timeout};

use crate::process::assert_no_children;
use crate::support::ms;

const LONG: Duration = Duration::from_secs(20);

fn file(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("coro-{name}-{}", std::process::id()));
    let _ = fs::remove_file(&path);
    path
}

/// The number that a child has written, when it has.
async fn number_in(path: &Path) -> u32 {
    let read = async {
        loop {
            match fs::read_to_string(path).map(|text| text.trim().parse()) {
                Ok(Ok(number)) => return number,
                _ => sleep(ms(1)).await,
            }
        }
    };
    let number = timeout(LONG, read).await.expect("the child did not begin");
    let _ = fs::remove_file(path);
    number
}

/// Whether the process runs: one that has ended and is not reaped does not.
fn runs(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| &rest[..1]);
    !matches!(state, None | Some("Z" | "X"))
}

async fn until_ended(id: u32) {
    let ended = async {
        while runs(id) {
            sleep(ms(1)).await;
        }
    };
    timeout(LONG, ended).await.expect("the process lives on");
}

/// A shell that tells the number of a child of its own, and waits for it.
fn with_a_child(path: &Path) -> Command {
    Command::shell(format!("sleep 3600 & echo $! > {}; wait", path.display()))
}

#[coro::test(real)]
async fn a_shell_whose_output_is_dropped_ends_with_all_that_it_started() {
    let path = file("output");
    let mut command = with_a_child(&path);
    let running = spawn(async move { command.output().await });
    let number = number_in(&path).await;
    assert!(runs(number));
    running.cancel();
    until_ended(number).await;
    assert_no_children();
}

#[coro::test(real)]
async fn a_program_whose_status_or_output_is_dropped_is_killed_and_reaped() {
    for of_output in [true, false] {
        let path = file("status");
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("echo $$ > {}; exec sleep 3600", path.display()));
        let running = spawn(async move {
            match of_output {
                true => command.output().await.map(drop),
                false => command.status().await.map(drop),
            }
        });
        let number = number_in(&path).await;
        running.cancel();
        until_ended(number).await;
        assert_no_children();
    }
}

#[coro::test(real)]
async fn a_child_that_was_to_live_on_does() {
    let path = file("lives");
    let mut command = Command::shell(format!("echo $$ > {}; exec sleep 3600", path.display()));
    command.kill_on_drop(false);
    let running = spawn(async move { command.output().await });
    let number = number_in(&path).await;
    running.cancel();
    sleep(ms(20)).await;
    assert!(runs(number));
    Command::new("kill")
        .arg("-KILL")
        .arg(number.to_string())
        .status()
        .await
        .unwrap();
    until_ended(number).await;
    assert_no_children();
}

async fn group_of(command: &mut Command) -> (String, String) {
    command.arg0("sh");
    let output = command.output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut words = text.split_whitespace().map(str::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

#[coro::test(real)]
async fn only_a_shell_that_does_not_read_is_put_into_a_group_of_its_own() {
    const LINE: &str = "echo $$ $(cut -d' ' -f5 /proc/$$/stat)";
    let (own, group) = group_of(&mut Command::shell(LINE)).await;
    assert_eq!(own, group);
    let (own, group) = group_of(Command::shell(LINE).stdin(Stdio::null())).await;
    assert_ne!(own, group);
    let (own, group) = group_of(Command::shell(LINE).kill_group(false)).await;
    assert_ne!(own, group);
    let (own, group) = group_of(Command::new("sh").arg("-c").arg(LINE)).await;
    assert_ne!(own, group);
}
