//! `run_test`, which runs the body of a `#[coro::test]`, and tools of tests, such as simulations.

mod blocked;
#[cfg(feature = "simulation")]
mod cancel;
#[cfg(feature = "simulation")]
mod chart;
#[cfg(feature = "simulation")]
mod crash;
#[cfg(feature = "simulation")]
mod environment;
#[cfg(feature = "simulation")]
mod explore;
#[cfg(feature = "simulation")]
mod failed_run;
#[cfg(feature = "simulation")]
mod host;
#[cfg(feature = "simulation")]
mod lanes;
mod lockstep;
#[cfg(feature = "simulation")]
mod network;
#[cfg(feature = "simulation")]
mod output;
#[cfg(feature = "simulation")]
mod picture;
#[cfg(feature = "simulation")]
mod quiet;
pub mod rand;
#[cfg(feature = "simulation")]
mod run_once;
#[cfg(feature = "simulation")]
mod shrink;
#[cfg(feature = "simulation")]
mod sim;
mod unseen;

use std::cell::Cell;
use std::pin::Pin;

#[cfg(feature = "simulation")]
use environment::SimulateAll;
use unseen::Unseen;

use crate::event_loop::EventLoop;
use crate::run::{new_loop, run_on};

#[cfg(feature = "simulation")]
pub use crate::machine::{Faults, Packet, PacketKind, Verdict};
pub use blocked::{advance, wait_all_tasks_blocked};
#[cfg(feature = "simulation")]
pub use cancel::cancel_everywhere;
#[cfg(feature = "simulation")]
pub use crash::crash_everywhere;
#[cfg(feature = "simulation")]
pub use explore::{Explore, Explored, explore};
#[cfg(feature = "simulation")]
pub use failed_run::FailedRun;
#[cfg(feature = "simulation")]
pub use host::Host;
pub use lockstep::lockstep_pair;
#[cfg(feature = "simulation")]
pub use network::RuleGuard;
#[cfg(feature = "simulation")]
pub use output::TestOutput;
#[cfg(feature = "simulation")]
pub use sim::Sim;

/// The clock of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(hidden)]
pub enum TestClock {
    /// Time jumps to the next deadline when nothing is ready.
    Virtual,
    /// Time is real.
    Real,
}

/// Runs a test on a loop of its own; in simulations, if the environment asks for that.
///
/// # Panics
///
/// If no task can ever go on, at once, with the tree of all tasks.
///
/// If a task or callout panicked, or a task failed, and nothing took the error: a test must not
/// ignore it. A test that expects such an error sets its own exception handler.
#[track_caller]
#[doc(hidden)]
pub fn run_test<T>(clock: TestClock, test: impl AsyncFn() -> T) -> T {
    let output = Cell::new(None);
    run_without_output(clock, &|| {
        Box::pin(async { output.set(Some(test().await)) })
    });
    let output = output.take();
    output.expect("a test that did not fail has an output")
}

/// Runs a test, which may be run several times in simulations. Does not know its type, so a program of
/// tests has one copy of this.
#[track_caller]
fn run_without_output<'a>(
    clock: TestClock,
    test: &dyn Fn() -> Pin<Box<dyn Future<Output = ()> + 'a>>,
) {
    #[cfg(feature = "simulation")]
    if let Some(wish) = SimulateAll::read() {
        return simulate(wish, test);
    }
    #[cfg(not(feature = "simulation"))]
    assert!(
        std::env::var_os("CORO_SIMULATE").is_none(),
        "CORO_SIMULATE asks for simulations, which need the feature `simulation` of coro: write \
         `coro-rs = {{ version = \"..\", features = [\"simulation\"] }}` below [dev-dependencies] in \
         Cargo.toml, or unset the variable"
    );
    let builder = match clock {
        TestClock::Virtual => EventLoop::builder().virtual_time(),
        TestClock::Real => EventLoop::builder(),
    };
    let event_loop = new_loop(builder.end_deadlocks().build());
    let unseen = Unseen::default();
    unseen.watch(&event_loop);
    run_on(event_loop, test());
    if let Some(failure) = unseen.failure() {
        panic!("{failure}");
    }
}

/// Runs a test that was not written for simulations in some.
#[cfg(feature = "simulation")]
#[track_caller]
fn simulate<'a>(wish: SimulateAll, test: &dyn Fn() -> Pin<Box<dyn Future<Output = ()> + 'a>>) {
    explore().seeds(wish.seeds).run(async |sim: &Sim| {
        sim.faults(Faults::all(wish.faults));
        test().await;
    });
}

/// Runs a test in simulations.
///
/// # Panics
///
/// If a run fails, with the failure.
#[cfg(feature = "simulation")]
#[track_caller]
#[doc(hidden)]
pub fn run_simulated<T: TestOutput>(
    name: &str,
    seeds: Option<u64>,
    late: Option<u32>,
    test: impl AsyncFn(&Sim) -> T,
) {
    let mut explore = explore();
    if let Some(seeds) = seeds {
        explore = explore.seeds(seeds);
    }
    if let Some(late) = late {
        explore = explore.late(late);
    }
    explore
        .named(name.split_once("::").map(|(_, name)| name))
        .run(test);
}

/// Runs a test on a loop with a real clock, inside of a runtime of tokio.
///
/// # Panics
///
/// As [`run_test`]; and if the runtime cannot be started.
#[cfg(feature = "tokio")]
#[track_caller]
#[doc(hidden)]
pub fn run_test_with_tokio<T>(test: impl AsyncFn() -> T) -> T {
    let runtime = crate::compat::tokio::started();
    let _entered = runtime.enter();
    run_test(TestClock::Real, test)
}
