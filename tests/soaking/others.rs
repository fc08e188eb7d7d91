//! Jobs on threads, processes, timers, signals.

use std::future::pending;
use std::thread;
use std::time::{Duration, Instant};

use coro::process::Command;
use coro::signal::SignalKind;
use coro::threads::to_thread;
use coro::{gather, interval, signal::signal as listen, sleep, timeout};
use rustix::process::{Signal, getpid, kill_process};

use super::random::Random;

const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a job, which is awaited or given up.
pub(crate) async fn job(random: &Random) {
    let (pause, number) = (random.micros(2000), random.below(1000));
    let job = to_thread(move || {
        thread::sleep(pause);
        number + 1
    });
    if random.one_in(4) {
        drop(timeout(random.micros(1000), job).await);
    } else {
        assert_eq!(job.await.unwrap(), number + 1);
    }
}

/// Runs a child process that ends by itself, talks to this one, is killed, or is dropped.
pub(crate) async fn process(random: &Random) {
    match random.below(4) {
        0 => assert!(Command::new("true").status().await.unwrap().success()),
        1 => {
            let sent = random.bytes(100_000);
            let mut cat = Command::new("cat");
            let mut cat = cat.stdin(piped()).stdout(piped()).spawn().unwrap();
            let output = timeout(PATIENCE, cat.communicate(&sent)).await;
            assert_eq!(output.expect("a wake-up was lost").unwrap().stdout, sent);
        }
        2 => {
            let mut child = Command::new("sleep").arg("600").spawn().unwrap();
            sleep(random.micros(2000)).await;
            child.kill().unwrap();
            assert!(!child.wait().await.unwrap().success());
        }
        _ => {
            let mut command = Command::new("sleep");
            let child = command.arg("600").kill_on_drop(true).spawn().unwrap();
            sleep(random.micros(2000)).await;
            drop(child);
        }
    }
}

fn piped() -> std::process::Stdio {
    std::process::Stdio::piped()
}

/// Runs timers that fire, and timers that are given up.
pub(crate) async fn timers(random: &Random) {
    let begun = Instant::now();
    let pauses = [0; 20].map(|_| random.micros(10_000));
    gather(pauses.map(async |pause| {
        sleep(pause).await;
        assert!(begun.elapsed() >= pause, "a timer came early");
    }))
    .await;
    let given_up = [0; 20].map(|_| random.micros(2000));
    let given_up = given_up.map(|limit| timeout(limit, sleep(Duration::from_secs(600))));
    assert!(gather(given_up).await.iter().all(Result::is_err));
    let mut ticks = interval(Duration::from_millis(1));
    for _ in 0..random.below(5) {
        ticks.tick().await;
    }
    assert!(timeout(random.micros(1000), pending::<()>()).await.is_err());
}

/// Sends a signal to this process, where two listeners receive it.
pub(crate) async fn signal(random: &Random) {
    let mut listener = listen(SignalKind::user_defined1()).unwrap();
    let mut other = listen(SignalKind::user_defined1()).unwrap();
    kill_process(getpid(), Signal::USR1).unwrap();
    let both = gather((listener.recv(), other.recv()));
    timeout(PATIENCE, both).await.expect("a signal was lost");
    sleep(random.micros(3000)).await;
}
