//! The watchdog of a loop, and the limit of slow steps.
//!
//! A step that holds the loop ends when its parent has read the line about it. So each part is played
//! by a process of its own, whose standard error is read.

use std::env;
use std::future::Future;
use std::io::{self, BufRead, BufReader, Write};
use std::pin::pin;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Wake};
use std::time::Duration;

use coro::event_loop::{Builder, ReportKind};
use coro::{EventLoop, yield_now};

use crate::support::{Reports, ms};

const LIMIT: Duration = Duration::from_millis(40);

/// A process that plays a part in this file, as its standard error and input.
struct Watched {
    child: Child,
    errors: Box<dyn Iterator<Item = String>>,
    input: Option<ChildStdin>,
}

impl Watched {
    fn start(part: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "watchdog::the_watched",
                "--ignored",
                "--nocapture",
            ])
            .env("CORO_TEST_PART", part)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Watched {
            input: child.stdin.take(),
            errors: Box::new(lines.map(Result::unwrap)),
            child,
        }
    }

    /// The next line that tells of a stuck step.
    fn line(&mut self) -> String {
        let mut others = Vec::new();
        loop {
            match self.errors.next() {
                Some(line) if line.contains("a step holds the loop") => return line,
                Some(line) => others.push(line),
                None => panic!("no line about a stuck step: {others:?}"),
            }
        }
    }

    /// Lets the step end.
    fn let_go(&mut self) {
        writeln!(self.input.as_mut().unwrap()).unwrap();
    }

    /// All further lines.
    fn rest(mut self) -> Vec<String> {
        drop(self.input.take());
        let lines = self.errors.by_ref().collect();
        assert!(self.child.wait().unwrap().success(), "{lines:?}");
        lines
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn assert_has(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part:?} is not in {line:?}");
    }
}

#[test]
fn a_task_that_blocks_is_named_while_it_does_and_handed_to_the_handler_afterwards() {
    let mut watched = Watched::start("task");
    let at_once = watched.line();
    let place = "(made at tests/it/watchdog.rs:";
    assert_has(
        &at_once,
        &[
            "coro: ",
            "it has held the loop for",
            "and still does",
            "[Task-2]",
            place,
        ],
    );
    watched.let_go();
    let afterwards = watched.line();
    assert_has(
        &afterwards,
        &[
            "handler on the loop: ",
            "it held the loop for",
            "[the blocker]",
            place,
        ],
    );
    assert_eq!(watched.rest(), ["the task after it"]);
}

#[test]
fn a_callout_a_main_future_and_a_waker_that_block_are_told_apart() {
    for (part, who) in [
        ("callout", "a callout: it has held"),
        ("main", "[main] (made at "),
        (
            "waker",
            "the loop between two steps, as when it wakes a waker that blocks: it has held",
        ),
    ] {
        let mut watched = Watched::start(part);
        assert_has(&watched.line(), &[who]);
        watched.let_go();
        assert_has(&watched.line(), &["it held the loop for"]);
    }
}

#[test]
fn a_loop_that_sleeps_or_does_not_run_is_not_stuck_and_its_thread_ends_with_it() {
    assert_eq!(Watched::start("quiet").rest(), Vec::<String>::new());
}

#[test]
fn a_stuck_step_that_ends_with_its_loop_is_reported_all_the_same() {
    let mut watched = Watched::start("last step");
    watched.line();
    watched.let_go();
    assert_has(
        &watched.line(),
        &["coro: ", "it held the loop for", "[Task-1]"],
    );
}

/// Not a test, but the process that the tests look at.
#[test]
#[ignore = "the tests start it as another process"]
fn the_watched() {
    let Ok(part) = env::var("CORO_TEST_PART") else {
        return;
    };
    match &*part {
        "task" => play_task(),
        "callout" => play(async {
            coro::call_soon(block);
            yield_now().await;
        }),
        "main" => play(async { block() }),
        "waker" => play(wake_one_that_blocks()),
        "quiet" => play_quiet(),
        "last step" => {
            let mut event_loop = builder().build().unwrap();
            event_loop.handle().stop();
            event_loop.handle().spawn(async { block() });
            event_loop.run_forever();
        }
        other => panic!("{other}"),
    }
}

fn builder() -> Builder {
    EventLoop::builder().watchdog(LIMIT)
}

/// Blocks the thread until the parent has seen enough.
fn block() {
    io::stdin().read_line(&mut String::new()).unwrap();
}

fn play(main: impl Future<Output = ()>) {
    let mut event_loop = builder().build().unwrap();
    event_loop.run_until_complete(main).unwrap();
    // The report comes when the watchdog has seen the end of the step.
    let handle = event_loop.handle();
    let stop = handle.clone();
    handle.set_exception_handler(move |report| {
        eprintln!("handler: {report}");
        stop.stop();
    });
    event_loop.run_forever();
}

fn play_task() {
    let thread = std::thread::current().id();
    let mut event_loop = builder().build().unwrap();
    let handle = event_loop.handle();
    let stop = handle.clone();
    handle.set_exception_handler(move |report| {
        assert_eq!(report.kind, ReportKind::Stuck);
        assert_eq!(std::thread::current().id(), thread);
        eprintln!("handler on the loop: {report}");
        stop.stop();
    });
    handle.spawn(async {});
    let blocker = handle.spawn(async {
        block();
        coro::sleep(ms(3_600_000)).await
    });
    blocker.set_name("the blocker");
    event_loop.run_forever();
    handle.set_exception_handler(|report| panic!("told twice: {report}"));
    let after = handle.spawn(async { eprintln!("the task after it") });
    event_loop.run_until_complete(after).unwrap().unwrap();
}

async fn wake_one_that_blocks() {
    struct Blocks;
    impl Wake for Blocks {
        fn wake(self: Arc<Self>) {
            block();
        }
    }
    let waker = Arc::new(Blocks).into();
    let mut sleep = pin!(coro::sleep(ms(1)));
    assert!(
        sleep
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    coro::sleep(ms(2)).await;
}

fn play_quiet() {
    // The limit is long enough for a step that waits for a processor.
    let limit = Duration::from_millis(400);
    let mut event_loop = EventLoop::builder().watchdog(limit).build().unwrap();
    event_loop
        .run_until_complete(coro::sleep(limit * 2))
        .unwrap();
    std::thread::sleep(limit * 2);
    event_loop.run_until_complete(yield_now()).unwrap();
    assert_eq!(watchdogs(), 1);
    drop(event_loop);
    assert_eq!(watchdogs(), 0);
    let virtual_loop = EventLoop::builder().virtual_time().watchdog(LIMIT);
    let mut virtual_loop = virtual_loop.build().unwrap();
    assert_eq!(watchdogs(), 0);
    let blocked = async { std::thread::sleep(LIMIT * 2) };
    virtual_loop.run_until_complete(blocked).unwrap();
}

/// How many threads are watchdogs.
#[cfg(target_os = "linux")]
fn watchdogs() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let name = |thread: io::Result<std::fs::DirEntry>| {
        let name = std::fs::read_to_string(thread.unwrap().path().join("comm"));
        name.unwrap_or_default()
    };
    threads
        .map(name)
        .filter(|name| name.trim() == "coro-watchdog")
        .count()
}

// ---- slow steps ----

#[test]
fn the_limit_of_slow_steps_is_settable_and_counts_in_debug_mode_only() {
    let builder = EventLoop::builder()
        .debug(true)
        .slow_callback_duration(Duration::MAX);
    let mut event_loop = builder.build().unwrap();
    let handle = event_loop.handle();
    assert_eq!(handle.slow_callback_duration(), Duration::MAX);
    let reports = Reports::of(&handle);
    let mut run = || {
        let task = handle.spawn(async { yield_now().await });
        task.set_name("stepper");
        event_loop.run_until_complete(task).unwrap().unwrap();
        let slow = reports
            .take()
            .into_iter()
            .filter(|it| it.task.as_deref() == Some("stepper"));
        slow.map(|report| report.kind).collect::<Vec<_>>()
    };
    assert_eq!(run(), []);
    handle.set_slow_callback_duration(Duration::ZERO);
    assert_eq!(run(), [ReportKind::SlowStep; 2]);
    handle.set_debug(false);
    assert_eq!(run(), []);
    let plain = EventLoop::new().unwrap();
    assert_eq!(
        plain.handle().slow_callback_duration(),
        ms(100),
        "as in asyncio"
    );
}
