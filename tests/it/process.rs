//! Child processes: their ends, their pipes, signals to them.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use coro::process::{Child, ChildStdin, Command};
use coro::{EventLoop, gather, spawn, timeout};
use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, FutureExt, io::BufReader};

use crate::support::{ms, turns};

const SIGTERM: i32 = 15;
const SIGKILL: i32 = 9;
const SIGPIPE: i32 = 13;

/// The unreaped children of this thread; empty if the system does not list them.
pub(crate) fn children() -> Vec<u32> {
    let text = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    text.split_whitespace()
        .map(|id| id.parse().unwrap())
        .collect()
}

/// Asserts that all ended children of this thread are reaped, and that none is running.
#[track_caller]
pub(crate) fn assert_reaped() {
    assert_eq!(children(), Vec::<u32>::new());
}

/// Waits until the reaper has reaped all children.
#[track_caller]
pub(crate) fn assert_no_children() {
    let begun = Instant::now();
    while !children().is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{:?}",
            children()
        );
        thread::sleep(ms(1));
    }
}

/// A process that reads to the end of its input.
fn cat() -> Child {
    let mut cat = Command::new("cat");
    cat.stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn sleeping() -> Command {
    let mut sleep = Command::new("sleep");
    sleep.arg("3600");
    sleep
}

/// Runs a shell with a child of its own, which holds the pipe open; returns that child's id.
async fn with_grandchild(command: &mut Command) -> (Child, String) {
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut lines = BufReader::new(child.stdout.as_ref().unwrap());
    lines.read_line(&mut line).await.unwrap();
    (child, line.trim().to_owned())
}

/// Whether a process runs: it exists and is no zombie.
fn runs(id: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(") ")
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

#[coro::test]
async fn an_exit_code_is_that_of_the_child() {
    for code in [0, 1, 42, 255] {
        let status = Command::shell(format!("exit {code}"))
            .status()
            .await
            .unwrap();
        assert_eq!(status.code(), Some(code));
    }
    let killed = Command::shell("kill -KILL $$").status().await.unwrap();
    assert_eq!(killed.signal(), Some(SIGKILL));
}

#[coro::test]
async fn a_child_that_ended_before_it_is_waited_for_gives_its_status() {
    let mut child = Command::shell("exit 7")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut nothing = Vec::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut nothing)
        .await
        .unwrap();
    let id = child.id().unwrap().to_string();
    while runs(&id) {
        coro::sleep(ms(1)).await;
    }
    assert_eq!(child.wait().await.unwrap().code(), Some(7));
    assert_eq!(child.id(), None);
    assert_reaped();
}

#[coro::test]
async fn any_number_wait_before_and_after_the_end() {
    let mut child = cat();
    let given_up = child.wait();
    // The first wait has closed the input, so the child is about to end.
    assert!(child.stdin.is_none());
    drop(given_up);
    let (first, second) = (child.wait(), spawn(child.wait()));
    let (first, second) = gather((first, second)).await;
    assert!(first.unwrap().success() && second.unwrap().unwrap().success());
    assert!(child.wait().await.unwrap().success());
    assert!(child.try_wait().unwrap().unwrap().success());
}

#[coro::test]
async fn a_wait_that_is_given_up_midway_leaves_the_others_waiting() {
    let mut child = sleeping().spawn().unwrap();
    let mut given_up = Box::pin(child.wait());
    let mut kept = Box::pin(child.wait());
    assert!((&mut given_up).now_or_never().is_none());
    assert!((&mut kept).now_or_never().is_none());
    drop(given_up);
    child.kill().unwrap();
    assert_eq!(kept.await.unwrap().signal(), Some(SIGKILL));
}

#[coro::test]
async fn waiters_get_a_status_that_another_call_has_looked_up() {
    let mut child = sleeping().spawn().unwrap();
    let waiting = spawn(child.wait());
    turns(3).await;
    child.terminate().unwrap();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        thread::sleep(ms(1));
    };
    assert_eq!(status.signal(), Some(SIGTERM));
    drop(child);
    assert_eq!(waiting.await.unwrap().unwrap(), status);
}

#[coro::test]
async fn try_wait_leaves_the_input_open() {
    let mut child = cat();
    assert_eq!(child.try_wait().unwrap(), None);
    let output = child.communicate("still open").await.unwrap();
    assert_eq!(output.stdout, b"still open");
}

#[coro::test]
async fn signals_reach_the_child_and_no_process_after_its_end() {
    let mut child = sleeping().spawn().unwrap();
    assert_eq!(
        child.send_signal(0).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    child.send_signal(SIGTERM).unwrap();
    assert_eq!(child.wait().await.unwrap().signal(), Some(SIGTERM));
    for _ in 0..3 {
        child.kill().unwrap();
    }
}

#[coro::test]
async fn closing_the_input_is_its_end_for_the_child() {
    let mut child = cat();
    let stdin = child.stdin.take().unwrap();
    (&stdin).write_all(b"one").await.unwrap();
    (&stdin).close().await.unwrap();
    let error = (&stdin).write_all(b"two").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    let mut read = String::new();
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_to_string(&mut read)
        .await
        .unwrap();
    assert_eq!(read, "one");
    assert!(child.wait().await.unwrap().success());
}

#[coro::test]
async fn a_write_that_waits_fails_when_another_closes_the_pipe() {
    let mut child = sleeping().stdin(Stdio::piped()).spawn().unwrap();
    let stdin: ChildStdin = child.stdin.take().unwrap();
    let full = async { (&stdin).write_all(&vec![0; 1 << 20]).await };
    let close = async {
        turns(3).await;
        (&stdin).close().await
    };
    let (written, closed) = gather((full, close)).await;
    assert_eq!(written.unwrap_err().kind(), ErrorKind::BrokenPipe);
    closed.unwrap();
    child.kill().unwrap();
}

#[coro::test]
async fn writing_to_a_child_that_reads_no_more_is_an_error_and_no_signal() {
    let mut child = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    assert!(child.wait().await.unwrap().success());
    let error = (&stdin).write_all(b"late").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

#[coro::test]
async fn children_are_joined_by_pipes_and_end_by_sigpipe_as_in_a_shell() {
    let mut yes = Command::new("yes").stdout(Stdio::piped()).spawn().unwrap();
    let between = Stdio::try_from(yes.stdout.take().unwrap()).unwrap();
    let head = Command::new("head")
        .args(["-n", "2"])
        .stdin(between)
        .output()
        .await
        .unwrap();
    assert_eq!(head.stdout, b"y\ny\n");
    assert_eq!(yes.wait().await.unwrap().signal(), Some(SIGPIPE));

    let mut sort = Command::new("sort");
    let mut sort = sort
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let into_sort = Stdio::try_from(sort.stdin.take().unwrap()).unwrap();
    assert!(
        Command::shell("echo b; echo a")
            .stdout(into_sort)
            .status()
            .await
            .unwrap()
            .success()
    );
    assert_eq!(sort.wait_with_output().await.unwrap().stdout, b"a\nb\n");
}

#[coro::test]
async fn a_descriptor_becomes_a_pipe_of_ours_and_back() {
    let (reader, writer) = io::pipe().unwrap();
    let mut stdin = ChildStdin::try_from(OwnedFd::from(writer)).unwrap();
    let reader = OwnedFd::from(reader);
    let mut stdout = coro::process::ChildStdout::try_from(reader).unwrap();
    let (written, mut read) = (stdin.write_all(b"abc").await, [0; 3]);
    written.unwrap();
    stdout.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"abc");
    let mut plain = fs::File::from(OwnedFd::try_from(stdout).unwrap());
    stdin.close().await.unwrap();
    assert_eq!(
        io::Read::read(&mut plain, &mut read).unwrap(),
        0,
        "set to block again"
    );
}

#[coro::test]
async fn communicate_ignores_that_the_child_did_not_read_all() {
    let mut head = Command::new("head");
    head.args(["-c", "3"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let output = head
        .spawn()
        .unwrap()
        .communicate(vec![b'x'; 1 << 20])
        .await
        .unwrap();
    assert_eq!(output.stdout, b"xxx");
    assert!(output.status.success());
}

#[coro::test]
async fn communicate_with_input_but_without_a_pipe_is_an_error() {
    let mut child = Command::new("true").spawn().unwrap();
    let error = child.communicate("lost").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(child.communicate([]).await.unwrap().status.success());
}

#[coro::test]
async fn bytes_that_a_dropped_communicate_had_read_come_with_the_next() {
    let mut child = Command::shell("echo early; read line; echo $line")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    assert!(timeout(ms(300), child.communicate([])).await.is_err());
    stdin.write_all(b"late\n").await.unwrap();
    let output = child.communicate([]).await.unwrap();
    assert_eq!(output.stdout, b"early\nlate\n");
}

#[coro::test]
async fn output_collects_both_streams_and_gives_an_empty_input() {
    let output = Command::shell("cat; echo out; echo err >&2; exit 5")
        .output()
        .await
        .unwrap();
    assert_eq!(output.stdout, b"out\n");
    assert_eq!(output.stderr, b"err\n");
    assert_eq!(output.status.code(), Some(5));
}

#[coro::test]
async fn output_leaves_streams_as_they_were_set() {
    let mut command = Command::shell("echo out; echo err >&2");
    let output = command.stderr(Stdio::null()).output().await.unwrap();
    assert_eq!((output.stdout, output.stderr), (b"out\n".to_vec(), vec![]));
}

#[coro::test]
async fn a_command_that_takes_too_long_is_killed_and_reaped() {
    for output in [false, true] {
        let mut command = sleeping();
        command.timeout(ms(20));
        let error = match output {
            true => command.output().await.unwrap_err(),
            false => command.status().await.unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(
            error.to_string(),
            "\"sleep\" was killed, as it took longer than 20ms"
        );
        assert_reaped();
    }
    let mut quick = Command::new("true");
    assert!(
        quick
            .timeout(Duration::from_secs(60))
            .status()
            .await
            .unwrap()
            .success()
    );
}

#[coro::test]
async fn a_dropped_child_runs_on_unless_it_is_to_be_killed() {
    let kept = sleeping().spawn().unwrap();
    let id = kept.id().unwrap().to_string();
    drop(kept);
    assert!(runs(&id));
    assert!(
        Command::new("kill")
            .arg(&id)
            .status()
            .await
            .unwrap()
            .success()
    );
    let killed = sleeping().kill_on_drop(true).spawn().unwrap();
    let also = sleeping().kill_on_drop(true).spawn().unwrap().wait();
    drop(killed);
    assert_eq!(also.await.unwrap().signal(), Some(SIGKILL));
    assert_no_children();
}

#[coro::test]
async fn an_output_given_up_ends_its_child_if_it_is_to_be_killed() {
    let mut command = sleeping();
    assert!(
        timeout(ms(20), command.kill_on_drop(true).output())
            .await
            .is_err()
    );
    assert_no_children();
}

#[test]
fn children_that_outlive_their_loop_are_reaped_when_they_end() {
    let mut event_loop = EventLoop::new().unwrap();
    let (kept, stdin) = event_loop
        .run_until_complete(async {
            let mut child = cat();
            let stdin = child.stdin.take().unwrap();
            spawn(async move { child.wait().await });
            turns(3).await;
            (
                sleeping().spawn().unwrap(),
                OwnedFd::try_from(stdin).unwrap(),
            )
        })
        .unwrap();
    event_loop.close();
    drop(event_loop);
    assert_eq!(children().len(), 2);
    kept.kill().unwrap();
    drop(kept);
    drop(stdin);
    assert_no_children();
}

#[coro::test]
async fn a_group_is_killed_as_a_whole() {
    let line = "sleep 3600 & echo $!; wait";
    let (mut child, id) = with_grandchild(Command::shell(line).kill_group(true)).await;
    child.kill().unwrap();
    assert_eq!(child.wait().await.unwrap().signal(), Some(SIGKILL));
    let mut nothing = Vec::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut nothing)
        .await
        .unwrap();
    while runs(&id) {
        coro::sleep(ms(1)).await;
    }
}

#[coro::test]
async fn a_grandchild_that_keeps_the_pipe_open_delays_communicate_but_not_wait() {
    let line = "sleep 3600 & echo $!";
    let (mut child, id) = with_grandchild(&mut Command::shell(line)).await;
    assert!(child.wait().await.unwrap().success());
    assert!(timeout(ms(50), child.communicate([])).await.is_err());
    assert!(
        Command::new("kill")
            .arg(&id)
            .status()
            .await
            .unwrap()
            .success()
    );
    assert!(child.communicate([]).await.unwrap().status.success());
}

#[test]
fn several_loops_each_have_children_of_their_own() {
    let threads: Vec<_> = (0..4)
        .map(|code| {
            thread::spawn(move || {
                coro::run(async {
                    let all = (0..20).map(|_| async move {
                        let status = Command::shell(format!("exit {code}")).status().await;
                        status.unwrap().code()
                    });
                    let codes = gather(all.collect::<Vec<_>>()).await;
                    assert_eq!(codes, [Some(code); 20]);
                });
                assert_reaped();
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn waiting_in_another_loop_is_an_error_and_not_for_ever() {
    let mut child = coro::run(async { sleeping().kill_on_drop(true).spawn().unwrap() });
    let error = coro::run(async { timeout(Duration::from_secs(10), child.wait()).await });
    assert!(
        error
            .unwrap()
            .unwrap_err()
            .to_string()
            .contains("outside of the event loop")
    );
    drop(child);
    assert_no_children();
}

#[coro::test]
async fn a_child_that_is_waited_for_lets_virtual_time_flow_as_it_really_does() {
    let mut child = Command::new("sleep").arg("0.05").spawn().unwrap();
    let ended = timeout(Duration::from_secs(3600), child.wait()).await;
    assert!(ended.unwrap().unwrap().success());
}

#[coro::test]
async fn an_ended_child_is_ready_at_the_first_poll() {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().await.unwrap();
    assert!(child.wait().now_or_never().unwrap().unwrap().success());
}
