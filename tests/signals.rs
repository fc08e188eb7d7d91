//! Signals to the process: with several listeners, without a listener, in storms.
//!
//! The tests have a process of their own, since signals interrupt system calls of other tests.
#![cfg(unix)]

#[path = "it/support.rs"]
#[allow(dead_code, reason = "what other tests use")]
mod support;

use std::cell::Cell;
use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use coro::event_loop::ReportKind;
use coro::signal::{SignalKind, signal};
use coro::threads::to_thread;
use coro::{EventLoop, LoopHandle, sleep};
use futures::StreamExt;

use support::{Reports, ms, panic_of, turns};

/// Runs the loop until the condition holds.
async fn until(mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came");
        sleep(ms(1)).await;
    }
}

/// Makes a shell send this process a signal `times` times.
fn send(kind: SignalKind, times: u32) {
    let script = "i=0; while [ $i -lt $2 ]; do kill -$0 $1; i=$((i + 1)); done";
    let process = std::process::id();
    let arguments = [
        kind.as_raw().to_string(),
        process.to_string(),
        times.to_string(),
    ];
    let status = Command::new("sh")
        .args(["-c", script])
        .args(arguments)
        .status();
    assert!(status.unwrap().success());
}

async fn sent(kind: SignalKind, times: u32) {
    to_thread(move || send(kind, times)).await.unwrap();
}

// Each of these tests has a kind of signal for itself, since they share one process.

#[coro::test(real)]
async fn every_listener_hears_of_a_signal() {
    let kind = SignalKind::user_defined2();
    let (mut first, mut second) = (signal(kind).unwrap(), signal(kind).unwrap());
    for _ in 0..3 {
        sent(kind, 1).await;
        first.recv().await;
        assert_eq!(second.next().await, Some(()));
    }
    let first_again = std::future::poll_fn(|cx| first.poll_recv(cx).map(|()| true));
    assert!(
        !coro::race((first_again, async { false })).await,
        "each is heard once"
    );
    drop(first);
    sent(kind, 1).await;
    second.recv().await;
}

#[coro::test(real)]
async fn a_storm_of_signals_is_heard_and_then_over() {
    let kind = SignalKind::user_defined1();
    let mut signals = signal(kind).unwrap();
    let storm = coro::spawn(sent(kind, 10_000));
    let mut heard = 0;
    while !storm.is_finished() {
        let hears = async {
            signals.recv().await;
            1
        };
        let looks = async {
            sleep(ms(1)).await;
            0
        };
        heard += coro::race((hears, looks)).await;
    }
    storm.await.unwrap();
    assert!((1..=10_000).contains(&heard), "{heard}");
    let one_more = coro::timeout(ms(50), signals.recv());
    let _ = one_more.await; // a signal that came after the last poll
    let quiet = coro::timeout(ms(20), signals.recv()).await;
    assert!(quiet.is_err(), "they do not pile up");
    sent(kind, 1).await;
    signals.recv().await;
}

#[coro::test(real)]
async fn a_handler_may_remove_itself_when_it_is_called() {
    let kind = SignalKind::hangup();
    let mut kept = signal(kind).unwrap(); // keeps the default action away
    let calls = Rc::new(Cell::new(0));
    let own = Rc::new(Cell::new(None::<coro::signal::SignalHandle>));
    let handle = LoopHandle::current().add_signal_handler(kind, {
        let (calls, own) = (calls.clone(), own.clone());
        move || {
            calls.set(calls.get() + 1);
            assert!(own.take().unwrap().remove());
        }
    });
    let handle = handle.unwrap();
    own.set(Some(handle.clone()));
    for _ in 0..3 {
        sent(kind, 1).await;
        kept.recv().await;
        turns(3).await;
    }
    assert_eq!(calls.get(), 1);
    assert_eq!(Rc::strong_count(&calls), 1, "the callback was dropped");
    assert!(!handle.remove());
}

#[coro::test(real)]
async fn a_handler_that_panics_is_reported_and_called_again() {
    let reports = Reports::here();
    let kind = SignalKind::alarm();
    let handle = LoopHandle::current().add_signal_handler(kind, || panic!("in a handler"));
    for _ in 0..2 {
        sent(kind, 1).await;
        until(|| reports.len() == 1).await;
        reports.assert_taken([(ReportKind::CalloutPanicked, "in a handler")]);
    }
    handle.unwrap().remove();
}

#[test]
fn handlers_are_removed_when_their_loop_is_closed() {
    let kind = SignalKind::window_change(); // which is ignored by default
    let mut event_loop = EventLoop::new().unwrap();
    let handle = event_loop.handle();
    let called = Rc::new(Cell::new(false));
    let seen = called.clone();
    let handler = event_loop
        .run_until_complete(async { handle.add_signal_handler(kind, move || seen.set(true)) })
        .unwrap()
        .unwrap();
    event_loop.close();
    assert_eq!(Rc::strong_count(&called), 1);
    send(kind, 1);
    assert!(!handler.remove());
    assert!(!called.get());
}

#[test]
fn loops_on_several_threads_have_signals_and_threads_of_their_own() {
    let kind = SignalKind::quit();
    let (ready, is_ready) = mpsc::channel();
    let loops: Vec<_> = (0..4)
        .map(|n| {
            let ready = ready.clone();
            thread::spawn(move || {
                coro::run(async move {
                    let mut signals = signal(kind).unwrap();
                    to_thread(move || ready.send(n).unwrap()).await.unwrap();
                    signals.recv().await;
                    n
                })
            })
        })
        .collect();
    for _ in 0..4 {
        is_ready.recv().unwrap();
    }
    send(kind, 1);
    for (n, one) in loops.into_iter().enumerate() {
        assert_eq!(one.join().unwrap(), n);
    }
}

#[coro::test]
async fn signals_that_cannot_be_listened_for_are_refused_with_a_reason() {
    for number in [9, 19, 11, 4, 8] {
        let kind = SignalKind::from_raw(number);
        let error = signal(kind).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), format!("{kind} cannot be listened for"));
        let added = LoopHandle::current().add_signal_handler(kind, || ());
        assert_eq!(added.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    }
    for number in [0, -1, 200] {
        let error = signal(SignalKind::from_raw(number)).unwrap_err();
        assert_eq!(
            error.kind(),
            std::io::ErrorKind::InvalidInput,
            "{number}: {error}"
        );
    }
}

#[test]
fn listening_needs_a_loop_and_the_right_one() {
    let kind = SignalKind::child();
    assert!(panic_of(|| signal(kind)).starts_with("no event loop is running on this thread"));
    let handle = EventLoop::new().unwrap().handle();
    let added = panic_of(|| handle.add_signal_handler(kind, || ()));
    assert_eq!(
        added,
        "add_signal_handler() outside of its event loop: call it inside"
    );
    let signals = coro::run(async { signal(kind).unwrap() });
    let elsewhere = panic_of(|| coro::run(async { { signals }.recv().await }));
    assert!(
        elsewhere.starts_with("cannot listen for SIGCHLD: "),
        "{elsewhere}"
    );
}

/// Listens for a while in a process of its own, which then gets the signal without a listener.
fn unheard(shell: &str) -> (ExitStatus, String) {
    let output = Command::new("sh")
        .args(["-c", &format!("{shell} exec \"$0\" \"$@\"")])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "listen_and_stop_listening", "--nocapture"])
        .env("CORO_TEST_UNHEARD", "1")
        .output()
        .unwrap();
    (
        output.status,
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[test]
fn listen_and_stop_listening() {
    if env::var_os("CORO_TEST_UNHEARD").is_none() {
        return;
    }
    let kind = SignalKind::hangup();
    for _ in 0..2 {
        coro::run(async {
            let mut signals = signal(kind).unwrap();
            sent(kind, 1).await;
            signals.recv().await;
        });
    }
    println!("it was heard");
    send(kind, 1);
    println!("it was ignored");
}

#[test]
fn a_signal_has_its_default_action_again_after_the_last_listener() {
    let (status, said) = unheard("");
    assert_eq!(
        status.signal(),
        Some(SignalKind::hangup().as_raw()),
        "{said}"
    );
    assert!(said.contains("it was heard"), "{said}");
}

#[test]
fn a_signal_that_was_ignored_before_is_ignored_again_after_the_last_listener() {
    let (status, said) = unheard("trap '' HUP;");
    assert!(status.success(), "{status} {said}");
    assert!(
        said.contains("it was heard") && said.contains("it was ignored"),
        "{said}"
    );
}
