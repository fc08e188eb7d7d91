//! Dumps that a signal asks for, and debug mode by the environment.
//!
//! A signal is for a whole process, so each part is played by a process of its own.

use std::env;
use std::io::{self, BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use coro::event_loop::ReportKind;
use coro::signal::SignalKind;
use coro::{EventLoop, sleep, spawn, yield_now};
use rustix::process::{Pid, Signal, kill_process};

struct Player {
    child: Child,
    errors: Lines<BufReader<ChildStderr>>,
}

impl Player {
    fn start(part: &str, debugged: bool) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", "dump_on::the_player", "--ignored", "--nocapture"])
            .env("CORO_TEST_PART", part)
            .env_remove("CORO_DEBUG")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if debugged {
            command.env("CORO_DEBUG", "1");
        }
        let mut child = command.spawn().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap()).lines();
        Player { child, errors }
    }

    /// The next line with this text; the lines before it are passed over.
    #[track_caller]
    fn line_with(&mut self, text: &str) -> String {
        let mut others = Vec::new();
        for line in self.errors.by_ref().map(Result::unwrap) {
            if line.contains(text) {
                return line;
            }
            others.push(line);
        }
        panic!("no line has {text:?}: {others:#?}");
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn each_signal_prints_the_tasks_of_a_loop_that_sleeps() {
    let mut player = Player::start("sleep", false);
    player.line_with("ready");
    for _ in 0..3 {
        player.signal(Signal::USR1);
        player.line_with("coro: a dump: asked for by a signal");
        player.line_with("main");
        player.line_with("the sleeper #1");
        player.line_with("a timer, due in");
    }
}

#[test]
fn many_signals_leave_a_loop_that_still_hears_the_next() {
    let mut player = Player::start("sleep", false);
    player.line_with("ready");
    for _ in 0..2000 {
        player.signal(Signal::USR1);
    }
    player.line_with("asked for by a signal");
    player.signal(Signal::USR2); // heard by a task, in the order of the loop
    player.line_with("heard");
    player.signal(Signal::USR1);
    player.line_with("asked for by a signal");
}

#[test]
fn a_loop_that_is_busy_all_the_time_takes_its_dump_too_and_hands_it_to_its_handler() {
    let mut player = Player::start("busy", false);
    player.line_with("ready");
    player.signal(Signal::USR1);
    player.line_with("handler: a dump: asked for by a signal");
    player.line_with("the busy one");
}

#[test]
fn a_signal_after_the_loop_is_closed_does_nothing() {
    let mut player = Player::start("closed", false);
    player.line_with("closed");
    player.signal(Signal::USR1);
    drop(player.child.stdin.take());
    player.line_with("still alive");
}

#[test]
fn a_signal_that_cannot_be_listened_for_is_an_error_of_building() {
    for signal in [9, 11, 1000] {
        let builder = EventLoop::builder().dump_on(SignalKind::from_raw(signal));
        assert!(builder.build().is_err(), "{signal}");
    }
}

#[test]
fn the_environment_turns_on_debug_mode_and_dumps_in_a_program_that_does_not_ask() {
    let mut player = Player::start("plain", true);
    player.line_with("a step held up the loop");
    player.line_with("ready");
    player.signal(Signal::QUIT);
    player.line_with("asked for by a signal");
    player.line_with("the sleeper");

    let mut plain = Player::start("plain", false);
    plain.line_with("ready");
    plain.signal(Signal::QUIT);
    let rest: Vec<_> = plain.errors.by_ref().map(Result::unwrap).collect();
    assert_eq!(rest, [""; 0], "SIGQUIT ends the process, as it always did");
}

/// Not a test, but the process that the tests look at.
#[test]
#[ignore = "the tests start it as another process"]
fn the_player() {
    let Ok(part) = env::var("CORO_TEST_PART") else {
        return;
    };
    let builder = EventLoop::builder().dump_on(SignalKind::user_defined1());
    let hour = || sleep(Duration::from_secs(3600));
    let sleeper = async move || {
        spawn(hour()).set_name("the sleeper");
        yield_now().await;
        eprintln!("ready");
        hour().await;
    };
    match &*part {
        "sleep" => {
            let mut event_loop = builder.build().unwrap();
            let main = async {
                let mut signals = coro::signal::signal(SignalKind::user_defined2()).unwrap();
                let hears = async move {
                    loop {
                        signals.recv().await;
                        eprintln!("heard");
                    }
                };
                coro::gather((sleeper(), hears)).await;
            };
            event_loop.run_until_complete(main).unwrap();
        }
        "busy" => {
            let mut event_loop = builder.build().unwrap();
            event_loop.handle().set_exception_handler(|report| {
                assert_eq!(report.kind, ReportKind::Dump);
                eprintln!("handler: {report}");
            });
            let busy = async {
                coro::task::current_task().unwrap().set_name("the busy one");
                eprintln!("ready");
                loop {
                    yield_now().await;
                }
            };
            let busy = event_loop.handle().spawn(busy);
            event_loop.run_until_complete(busy).unwrap().unwrap();
        }
        "closed" => {
            let mut event_loop = builder.build().unwrap();
            event_loop.run_until_complete(yield_now()).unwrap();
            drop(event_loop);
            eprintln!("closed");
            io::stdin().read_line(&mut String::new()).unwrap();
            eprintln!("still alive");
        }
        "plain" => coro::run(async {
            std::thread::sleep(Duration::from_millis(110));
            sleeper().await;
        }),
        other => panic!("{other}"),
    }
}
