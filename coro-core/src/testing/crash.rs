//! `crash_everywhere`: ends a program before each of its steps.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;

use super::output::TestOutput;
use super::run_once::{RunSettings, run_once};
use super::sim::Sim;
use crate::choices::{Choices, Script};
use crate::event_loop::{LoopHandle, spawn};
use crate::task::{HOST, HostLife};
use crate::wait::blocked::all_blocked;

/// Ends a program before its first step, before its second and so on, each time in a simulation of
/// its own. Gives the number of its steps.
///
/// Each time `setup` makes the state that outlives a crash, such as a disk. `program` runs on it, on
/// a host of its own that is called `program`. A crash [kills](super::Host::kill) that host: the
/// sockets of the program are closed, and it is dropped with the tasks that it has spawned. None of
/// them is polled again, and their callouts are not called. Then `check` starts the program anew, or
/// looks at the state, and panics or gives an error if it is not as it must be. The last time the
/// program comes to its end.
///
/// For a program that talks to others, `setup` starts these on hosts: `Sim::current().host(..)`. If
/// the state keeps the [`Host`](super::Host), an action before a step can end that one instead:
/// [`Sim::at_step`].
///
/// Destructors of the program do run at a crash, as Rust has no other way to end it. A destructor
/// that writes to the state makes the crash less sudden than a real one.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use coro::testing::crash_everywhere;
///
/// #[derive(Default)]
/// struct Disk { intent: Cell<Option<u32>>, value: Cell<u32> }
///
/// async fn write(disk: &Disk) {
///     coro::sleep(std::time::Duration::from_millis(2)).await;
///     disk.value.set(disk.intent.get().unwrap());
///     disk.intent.set(None);
/// }
///
/// crash_everywhere(
///     Disk::default,
///     |disk: Rc<Disk>| async move {
///         disk.intent.set(Some(7)); // acknowledged from here on
///         write(&disk).await;
///     },
///     async |disk: &Disk| {
///         let was_acknowledged = disk.intent.get().is_some() || disk.value.get() == 7;
///         if disk.intent.get().is_some() {
///             write(disk).await; // recovery
///         }
///         assert_eq!(was_acknowledged, disk.value.get() == 7);
///     },
/// );
/// ```
///
/// # Panics
///
/// If a check fails; the text names all steps before which a crash breaks it. If `setup` makes a host
/// that is called `program`. Inside of a loop.
#[track_caller]
pub fn crash_everywhere<S, F, C>(
    setup: impl Fn() -> S,
    program: impl Fn(Rc<S>) -> F,
    check: impl AsyncFn(&S) -> C,
) -> u64
where
    S: 'static,
    F: Future<Output = ()> + 'static,
    C: TestOutput,
{
    let mut broken: Vec<(u64, String)> = Vec::new();
    let mut crash = 1;
    let steps = loop {
        let progress = Cell::new(None);
        let choices = Choices::from_script(Script::default());
        let run = run_once(choices, RunSettings::default(), &async |sim: &Sim| {
            let state = Rc::new(setup());
            progress.set(run_until(sim, crash, program(state.clone())).await);
            all_blocked().await;
            check(&state).await
        });
        if let Some(failure) = run.failure {
            broken.push((crash, failure.to_string()));
        }
        match progress.get() {
            Some(CrashProgress::Cut) => crash += 1,
            Some(CrashProgress::Done { steps }) => break steps,
            None => break crash - 1, // the run failed before its end
        }
    };
    if let Some((_, first)) = broken.first() {
        let places: Vec<String> = broken.iter().map(|(crash, _)| crash.to_string()).collect();
        panic!(
            "the state is broken after a crash before the steps {} of {steps}: {first}",
            places.join(", ")
        );
    }
    steps
}

/// How far a program has come.
#[derive(Clone, Copy)]
enum CrashProgress {
    Cut,
    Done { steps: u64 },
}

/// The host of a program that crashes.
const PROGRAM: &str = "program";

/// Runs a program on a host, which is killed before the step with the number `crash`.
async fn run_until(
    sim: &Sim,
    crash: u64,
    program: impl Future<Output = ()> + 'static,
) -> Option<CrashProgress> {
    let begun = sim.steps();
    let kernel = sim.kernel();
    let Some(number) = kernel.add_host(PROGRAM) else {
        panic!(
            "crash_everywhere: the program's host is called {PROGRAM:?}; give yours another name"
        );
    };
    let life = HostLife::new(number);
    let kill = {
        let life = life.clone();
        move || {
            kernel.kill(number);
            LoopHandle::current().end_host(&life);
        }
    };
    let task = HOST.sync_scope(life, || spawn(program));
    sim.at_step(begun + crash, kill.clone());
    let outcome = task.await;
    let steps = sim.steps() - begun - 1; // without the one that learns of the end
    kill(); // the tasks that it has left behind end too
    match outcome {
        Ok(()) => Some(CrashProgress::Done { steps }),
        Err(error) if error.is_cancelled() => Some(CrashProgress::Cut),
        Err(error) => panic!("the program failed by itself: {error}"),
    }
}
