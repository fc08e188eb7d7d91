//! `coro pstree`: the dumps of live loops, and the tree from outside where there are none.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::child::{Child, coro};

fn pstree(child: &Child) -> String {
    let (tree, error) = coro(&["pstree", &child.id().to_string()]);
    assert_eq!(error, "");
    tree
}

#[test]
fn a_live_process_that_has_opted_in_shows_where_each_task_waits() {
    let mut child = Child::start("open", "");
    for _ in 0..3 {
        let tree = pstree(&child);
        assert!(tree.contains("a timer, due in"), "{tree}");
        assert!(tree.contains("sleeper #1"), "{tree}");
        assert!(!tree.contains("read from outside"), "{tree}");
        let loops = tree.lines().filter(|line| line.starts_with("loop on"));
        assert_eq!(loops.count(), 2, "{tree}");
        assert_eq!(tree.matches("a timer, due in").count(), 4, "{tree}");
    }
    child.signal(Signal::USR1);
    let printed = child.error_lines(2, |line| line.contains("asked for by a signal"));
    assert_eq!(
        printed.len(),
        2,
        "each loop prints if no reader waits, and only then"
    );
}

#[test]
fn names_of_a_dump_cannot_steer_the_terminal() {
    let child = Child::start("open", "evil\u{1b}[2J");
    let tree = pstree(&child);
    assert!(tree.contains("evil\\u{1b}[2J"), "{tree}");
    assert!(!tree.contains('\u{1b}'), "{tree}");
}

#[test]
fn a_process_that_has_not_opted_in_shows_who_has_spawned_whom() {
    let child = Child::start("family", "");
    let tree = pstree(&child);
    assert!(
        tree.contains("without the places of waits: no loop writes its own dump"),
        "{tree}"
    );
    let place = |line: &str| match line.split_once(":") {
        Some((before, _)) => before.to_owned(),
        None => line.to_owned(),
    };
    let below: Vec<String> = tree.lines().skip(3).map(place).collect();
    let at = "  waiting  spawned at coro-cli/tests/cli/child.rs";
    let expected = [
        format!("main{at}"),
        format!("  parent #1{at}"),
        format!("    Task-2  x 3{at}"),
        format!("    middle #5{at}"),
        format!("      Task-7{at}"),
        format!("    Task-6{at}"),
    ];
    assert_eq!(below, expected, "{tree}");
}

#[test]
fn a_stopped_process_and_a_loop_in_a_long_step_are_read_from_outside() {
    let child = Child::start("open", "");
    child.stop();
    let tree = pstree(&child);
    assert!(
        tree.contains("the process is stopped, so its loops cannot be asked"),
        "{tree}"
    );
    assert!(tree.contains("  sleeper #1  waiting"), "{tree}");

    let child = Child::start("open and stuck", "");
    let begun = Instant::now();
    let tree = pstree(&child);
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert!(
        tree.contains("does not answer while it is in a step of the stuck one"),
        "{tree}"
    );
    assert!(tree.contains("  the stuck one #4  running"), "{tree}");
}

#[test]
fn a_process_that_was_not_edited_answers_when_the_environment_asks_it_to() {
    let child = Child::start_debugged("family");
    let tree = pstree(&child);
    assert!(tree.contains("a timer, due in"), "{tree}");
    assert!(!tree.contains("read from outside"), "{tree}");
}
