//! Ctrl-C while `run` runs on the main thread. The program runs itself again as the victim.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use coro::signal::{SignalKind, ctrl_c};
use coro::sync::remote::oneshot;
use coro::threads::to_thread_with;
use coro::{EventLoop, sleep, spawn};

const SIGINT: i32 = SignalKind::interrupt().as_raw();

/// A process that runs one of the cases of `victim`.
struct Victim {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Victim {
    fn start(what: &str, shell: &str) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", &format!("{shell} exec \"$0\" \"$@\"")])
            .arg(env::current_exe().unwrap())
            .env("CORO_TEST_VICTIM", what)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut victim = Victim { child, said };
        victim.wait_until_it_says("begun");
        victim
    }

    fn wait_until_it_says(&mut self, what: &str) {
        let lines = self.said.by_ref().lines();
        let found = lines.map(Result::unwrap).any(|line| line == what);
        assert!(found, "it never said {what:?}");
    }

    fn interrupt(&self) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args(["-INT", &id]).status();
        assert!(kill.unwrap().success());
    }

    fn end(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap(), said)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn main() {
    if let Ok(what) = env::var("CORO_TEST_VICTIM") {
        return victim(&what);
    }
    let tests: [(&str, fn()); 5] = [
        (
            "the_first_ctrl_c_cancels_the_run_and_the_process_ends_as_by_the_signal",
            the_first_ctrl_c_cancels_the_run_and_the_process_ends_as_by_the_signal,
        ),
        (
            "the_second_ctrl_c_ends_the_process_at_once",
            the_second_ctrl_c_ends_the_process_at_once,
        ),
        (
            "a_listener_for_ctrl_c_replaces_the_cancellation",
            a_listener_for_ctrl_c_replaces_the_cancellation,
        ),
        (
            "between_runs_and_outside_of_run_ctrl_c_ends_the_process_as_ever",
            between_runs_and_outside_of_run_ctrl_c_ends_the_process_as_ever,
        ),
        (
            "a_process_that_ignores_ctrl_c_goes_on_ignoring_it",
            a_process_that_ignores_ctrl_c_goes_on_ignoring_it,
        ),
    ];
    for (name, test) in tests {
        test();
        println!("test {name} ... ok");
    }
    println!("\ntest result: ok. {} passed; 0 failed", tests.len());
}

/// Prints its text when it is dropped.
struct Said(&'static str);

impl Drop for Said {
    fn drop(&mut self) {
        println!("{}", self.0);
    }
}

/// Takes a minute to drop.
struct CleansUp;

impl Drop for CleansUp {
    fn drop(&mut self) {
        println!("cleaning up");
        thread::sleep(ms(60_000));
    }
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn victim(what: &str) {
    match what {
        "waits" => coro::run(wait()),
        "waits with settings" => EventLoop::builder().debug(true).run(wait()),
        "is done first" => {
            coro::run(sleep(ms(1)));
            println!("begun");
            thread::sleep(ms(60_000));
        }
        "cleans up for ever" => coro::run(async {
            let _clean_up = CleansUp;
            println!("begun");
            std::future::pending::<()>().await;
        }),
        "computes" => coro::run(async {
            println!("begun");
            thread::sleep(ms(60_000));
        }),
        "listens" => coro::run(async {
            let pressed = ctrl_c();
            println!("begun");
            pressed.await.unwrap();
            println!("heard");
            sleep(ms(5)).await;
        }),
        "listens and stops to" => {
            coro::run(async { drop(ctrl_c()) });
            coro::run(wait());
        }
        "waits elsewhere" => thread::spawn(|| coro::run(wait())).join().unwrap(),
        "has a loop of its own" => EventLoop::new()
            .unwrap()
            .run_until_complete(wait())
            .unwrap(),
        "is brief" => coro::run(async {
            println!("begun");
            sleep(ms(300)).await;
        }),
        other => panic!("no such victim: {other}"),
    }
    println!("after run");
}

async fn wait() {
    let _main = Said("main was dropped");
    spawn(async {
        let _task = Said("a task was dropped");
        std::future::pending::<()>().await;
    });
    let (begin, begun) = oneshot::channel();
    let job = to_thread_with(move |cancel| {
        begin.send(()).unwrap();
        while !cancel.is_cancelled() {
            thread::sleep(ms(1));
        }
        println!("a job has ended");
    });
    begun.await.unwrap();
    sleep(ms(1)).await;
    println!("begun");
    job.await.unwrap();
}

#[track_caller]
fn assert_cleaned_up_and_interrupted((status, said): (ExitStatus, String)) {
    assert_eq!(status.signal(), Some(SIGINT), "{status} {said}");
    for line in ["main was dropped", "a task was dropped", "a job has ended"] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!said.contains("after run"), "{said}");
}

#[track_caller]
fn assert_ended_at_once((status, said): (ExitStatus, String)) {
    assert_eq!(status.signal(), Some(SIGINT), "{status} {said}");
    assert_eq!(said, "");
}

fn the_first_ctrl_c_cancels_the_run_and_the_process_ends_as_by_the_signal() {
    for what in ["waits", "waits with settings"] {
        let victim = Victim::start(what, "");
        victim.interrupt();
        assert_cleaned_up_and_interrupted(victim.end());
    }
}

fn the_second_ctrl_c_ends_the_process_at_once() {
    let mut victim = Victim::start("cleans up for ever", "");
    victim.interrupt();
    victim.wait_until_it_says("cleaning up");
    victim.interrupt();
    assert_ended_at_once(victim.end());

    let computing = Victim::start("computes", "");
    computing.interrupt();
    thread::sleep(ms(50)); // so that the signals do not merge into one
    computing.interrupt();
    assert_ended_at_once(computing.end());
}

fn a_listener_for_ctrl_c_replaces_the_cancellation() {
    let victim = Victim::start("listens", "");
    victim.interrupt();
    let (status, said) = victim.end();
    assert!(status.success(), "{status} {said}");
    assert!(said.contains("heard\nafter run\n"), "{said}");

    let no_more = Victim::start("listens and stops to", "");
    no_more.interrupt();
    assert_cleaned_up_and_interrupted(no_more.end());
}

fn between_runs_and_outside_of_run_ctrl_c_ends_the_process_as_ever() {
    for what in ["is done first", "waits elsewhere", "has a loop of its own"] {
        let victim = Victim::start(what, "");
        victim.interrupt();
        assert_ended_at_once(victim.end());
    }
}

fn a_process_that_ignores_ctrl_c_goes_on_ignoring_it() {
    let victim = Victim::start("is brief", "trap '' INT;");
    victim.interrupt();
    let (status, said) = victim.end();
    assert!(status.success(), "{status} {said}");
    assert!(said.contains("after run"), "{said}");
}
