//! `coro ps` on real processes: stopped, stuck, busy, stripped, foreign.

use std::collections::HashSet;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::child::{self, Child, coro, ps, says};

/// The rows of the tables, cut into columns.
fn rows(listing: &str) -> Vec<Vec<&str>> {
    let is_row = |cells: &Vec<&str>| cells.len() > 1 && cells[0] != "ID";
    listing.lines().map(cells).filter(is_row).collect()
}

fn cells(line: &str) -> Vec<&str> {
    let cells = line.split("  ").map(str::trim);
    cells.filter(|cell| !cell.is_empty()).collect()
}

#[test]
fn a_stopped_and_stripped_process_lists_its_ten_thousand_tasks() {
    let child = Child::start("many", "a name\u{1b}[2J from a peer");
    child.stop();
    let begun = Instant::now();
    let listing = ps(child.id());
    let took = begun.elapsed();
    println!("10,000 tasks in {took:?}, with a build that is not optimised");
    assert!(
        listing.contains("which is stopped: 10002 tasks"),
        "{}",
        &listing[..300]
    );
    let rows = rows(&listing);
    assert_eq!(rows.len(), 10_002);
    assert_eq!(rows[0][..3], ["-", "waiting", "main"]);
    let named = rows.iter().find(|row| row[0] == "1").unwrap();
    assert_eq!(named[1..3], ["waiting", "a name\\u{1b}[2J from a peer"]);
    assert!(named[3].contains("cli/child.rs:"), "{named:?}");
    let places: HashSet<&str> = rows[2..].iter().map(|row| row[3]).collect();
    assert_eq!(places.len(), 1, "{places:?}");
    assert_eq!(rows[10_001][2], "Task-10001");
}

#[test]
fn a_task_that_never_waits_again_is_seen_to_run() {
    let child = Child::start("stuck", "");
    let listing = ps(child.id());
    let rows = rows(&listing);
    let running: Vec<_> = rows.iter().filter(|row| row[1] == "running").collect();
    assert_eq!(running.len(), 1, "{listing}");
    assert_eq!(running[0][2], "the stuck one");
    assert!(rows.iter().any(|row| row[1] == "ready"), "{listing}");
    assert!(rows.iter().any(|row| row[1] == "cancelled"), "{listing}");
}

#[test]
fn every_loop_of_a_process_is_listed_with_its_thread_until_it_is_closed() {
    let child = Child::start("loops", "");
    let listing = ps(child.id());
    let loops: Vec<&str> = listing
        .lines()
        .filter(|line| line.starts_with("loop on"))
        .collect();
    let expected = [": 2 tasks", ": 3 tasks"];
    assert_eq!(loops.len(), 2, "{listing}");
    for ends in expected {
        assert!(loops.iter().any(|it| it.ends_with(ends)), "{listing}");
    }
    assert!(listing.contains("second"), "{listing}");
}

#[test]
fn a_process_that_changes_all_the_time_is_never_listed_wrongly() {
    let child = Child::start("busy", "");
    let mut exact = 0;
    for _ in 0..100 {
        let (listing, error) = coro(&["ps", &child.id().to_string()]);
        if !error.is_empty() {
            assert!(error.contains("changes its tasks faster"), "{error}");
            continue;
        }
        exact += usize::from(!listing.contains("changed while"));
        let mut ids = HashSet::new();
        for row in rows(&listing) {
            assert!(
                row.len() == 4 && row[3].contains("cli/child.rs:"),
                "{row:?} in {listing}"
            );
            assert!(
                ["running", "ready", "waiting", "cancelled"].contains(&row[1]),
                "{row:?}"
            );
            let (number, name) = (row[0], row[2]);
            let is_its_name = ["main", "spawner"].contains(&name)
                || name == format!("Task-{number}")
                || name == "short-lived, with a name that has to be allocated";
            assert!(is_its_name, "{row:?}");
            assert!(ids.insert(number.to_owned()), "{number} twice in {listing}");
        }
    }
    println!("{exact} of 100 were exact");
    assert!(exact > 0);
}

#[test]
fn a_process_that_cannot_be_read_is_refused_in_words_that_say_why() {
    let mut other = Command::new("sleep").arg("100").spawn().unwrap();
    let id = other.id();
    says(&["ps", &id.to_string()], "is no program of coro");
    other.kill().unwrap();
    while !std::fs::read_to_string(format!("/proc/{id}/stat"))
        .unwrap()
        .contains(") Z")
    {
        std::thread::yield_now();
    }
    says(&["ps", &id.to_string()], "has ended");
    other.wait().unwrap();
    says(
        &["ps", &id.to_string()],
        &format!("there is no process {id}"),
    );
    says(&["ps", "server"], "\"server\" is no number of a process");
    says(&["ps"], "usage: coro ps PID");
}

#[test]
fn another_version_of_the_layout_is_refused() {
    let child = Child::start_changed("stuck", |program| {
        let magic = b"coro.sight\0\0\0\0\0\0";
        let found = program
            .windows(16)
            .enumerate()
            .filter(|(_, it)| it == magic);
        let places: Vec<usize> = found.map(|(at, _)| at + 16).collect();
        assert!(!places.is_empty());
        for at in places {
            program[at..at + 4].copy_from_slice(&99_u32.to_ne_bytes());
        }
    });
    says(
        &["ps", &child.id().to_string()],
        "in version 99 of the layout",
    );
}

#[test]
fn another_user_is_told_how_to_get_the_right() {
    use std::os::unix::process::CommandExt;
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become another user");
        return;
    }
    let child = Child::start("stuck", "");
    let folder = child::Folder::new();
    let program = folder.path().join("coro");
    std::fs::copy(env!("CARGO_BIN_EXE_coro"), &program).unwrap();
    let mut ask = Command::new(&program);
    ask.args(["ps", &child.id().to_string()]);
    ask.uid(65534).gid(65534).stdin(Stdio::null());
    let asked = child::when_written(|| ask.output());
    let error = String::from_utf8(asked.stderr).unwrap();
    assert!(
        error.contains("run `coro` as root, or as the user of the process"),
        "{error}"
    );
}
