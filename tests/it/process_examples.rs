//! The output of the example programs about processes.

use std::io::Write;
use std::process::Stdio;

use crate::examples::{example, printed, promised};

#[test]
fn pipeline_prints_what_it_promises() {
    assert_eq!(printed("pipeline", "0.02"), promised("pipeline"));
}

#[test]
fn supervisor_prints_what_it_promises() {
    assert_eq!(printed("supervisor", "0.5"), promised("supervisor"));
}

#[test]
fn shell_without_input_prints_what_it_promises() {
    assert_eq!(printed("shell", "1"), promised("shell"));
}

#[test]
fn shell_runs_the_lines_of_its_input_and_ends_with_it() {
    let mut shell = example("shell")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    stdin
        .write_all(b"cat; printf half\nyes | head -n 2\n")
        .unwrap();
    drop(stdin);
    let output = shell.wait_with_output().unwrap();
    let expected = "$ cat; printf half\nhalf\n$ yes | head -n 2\ny\ny\nsh: exit status: 0\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
