//! A soak: everything at once and at random for a while, after which nothing may be left over.
//!
//! ```text
//! $ cargo test --test soak -- 0.33
//! ```
//!
//! runs for this number of minutes. Without a number it runs for a second. `scripts/soak.sh` says
//! more.

mod clients;
mod left_over;
mod others;
mod random;

use std::cell::Cell;
use std::env;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use coro::{EventLoop, gather, sleep};

use clients::Servers;
use left_over::LeftOver;
use random::Random;

/// The minutes that it runs if no number is given, as in a plain `cargo test`.
const SHORT: f64 = 1.0 / 60.0;
/// The time in which servers, threads and children end by themselves.
const PATIENCE: Duration = Duration::from_secs(10);

/// The number of rounds of each kind of work.
#[derive(Default)]
struct Counts {
    connections: Cell<u64>,
    tls: Cell<u64>,
    jobs: Cell<u64>,
    processes: Cell<u64>,
    timers: Cell<u64>,
    signals: Cell<u64>,
}

fn increment(count: &Cell<u64>) {
    count.set(count.get() + 1);
}

/// The state that all kinds of work share.
#[derive(Clone)]
struct Soak {
    until: Instant,
    random: Rc<Random>,
    counts: Rc<Counts>,
}

impl Soak {
    /// Repeats one kind of work until the end.
    async fn repeat(&self, count: impl Fn(&Counts) -> &Cell<u64>, once: impl AsyncFn(&Random)) {
        while Instant::now() < self.until {
            once(&self.random).await;
            increment(count(&self.counts));
        }
    }

    /// Runs all kinds of work at once, on the present loop.
    async fn run(&self) {
        let servers = Servers::start(&self.random);
        let tcp = [(); 8].map(|()| self.repeat(|c| &c.connections, clients::tcp(&servers)));
        let tls = [(); 3].map(|()| self.repeat(|c| &c.tls, clients::tls(&servers)));
        let jobs = [(); 4].map(|()| self.repeat(|c| &c.jobs, others::job));
        let processes = [(); 2].map(|()| self.repeat(|c| &c.processes, others::process));
        let timers = [(); 4].map(|()| self.repeat(|c| &c.timers, others::timers));
        let signals = self.repeat(|c| &c.signals, others::signal);
        let network = gather((gather(tcp), gather(tls)));
        gather((
            network,
            gather(jobs),
            gather(processes),
            gather(timers),
            signals,
        ))
        .await;
        servers.end(PATIENCE).await;
    }
}

/// Runs on a loop of its own, and counts the resources that are left over when it is closed.
fn soak(duration: Duration, seed: u64, counts: &Rc<Counts>) -> LeftOver {
    let mut event_loop = EventLoop::new().expect("there is a loop");
    let soak = Soak {
        until: Instant::now() + duration,
        random: Rc::new(Random::new(seed)),
        counts: counts.clone(),
    };
    let main = async move {
        let before = LeftOver::now();
        soak.run().await;
        let give_up = Instant::now() + PATIENCE;
        while LeftOver::now().descriptors > before.descriptors && Instant::now() < give_up {
            sleep(Duration::from_millis(10)).await;
        }
        (before.descriptors, LeftOver::now().descriptors)
    };
    let (before, after) = event_loop.run_until_complete(main).expect("not stopped");
    assert!(
        after <= before,
        "{before} descriptors became {after} on a loop that runs"
    );
    drop(event_loop);
    LeftOver::now()
}

fn minutes() -> f64 {
    let argument = env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok());
    let minutes: f64 = argument.unwrap_or(SHORT);
    assert!(
        (0.0..=10_000.0).contains(&minutes),
        "minutes are a number from 0 to 10000"
    );
    minutes
}

pub(crate) fn main() -> ExitCode {
    let duration = Duration::from_secs_f64(minutes() * 60.0);
    let seed = std::time::UNIX_EPOCH
        .elapsed()
        .map_or(1, |elapsed| elapsed.as_nanos() as u64);
    println!("seed {seed}");
    // The first run makes the resources that the process makes only once; these are not leaks.
    let warm_up = (duration / 4).min(Duration::from_secs(5));
    soak(warm_up, seed, &Rc::default());
    let before = LeftOver::settled(|_| false, Duration::from_millis(500));

    let counts = Rc::<Counts>::default();
    soak(duration, seed ^ 1, &counts);
    let after = LeftOver::settled(|now| !now.exceeds(&before), PATIENCE);
    println!(
        "{} connections, {} of TLS, {} jobs, {} processes, {} rounds of timers, {} signals",
        counts.connections.get(),
        counts.tls.get(),
        counts.jobs.get(),
        counts.processes.get(),
        counts.timers.get(),
        counts.signals.get(),
    );
    println!("before: {before}\nafter:  {after}");
    if after.exceeds(&before) {
        println!("FAILED: something is left over");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
