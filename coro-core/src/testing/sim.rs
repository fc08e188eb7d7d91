//! `Sim`, the simulation that a test runs in.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::picture;
use crate::choices::TraceEvent;
use crate::event_loop::{LoopHandle, Simulation};

/// The simulation that a test runs in.
///
/// A test that is written with `#[coro::test(sim)]`, `(seeds = N)` or `(late = K)` may take it as an
/// argument, and its tasks find it by [`current`](Self::current). Every order, delay and fault of a
/// simulation is a *decision*. A decision is a number, and 0 is the plainest: first come, first
/// served, no delay, no fault. A seed fixes them all, so a failure can be repeated and shrunk.
///
/// ```
/// use coro::testing::{Sim, explore};
///
/// let explored = explore().seeds(20).run(async |sim: &Sim| {
///     let delay = std::time::Duration::from_millis(sim.choose(50).into());
///     coro::sleep(delay).await;
/// });
/// assert_eq!(explored.runs(), 21); // the first seed is run twice
/// ```
#[derive(Clone)]
pub struct Sim(pub(super) Rc<Simulation>);

impl Sim {
    /// The simulation that this thread is inside of.
    ///
    /// # Panics
    ///
    /// Outside of a simulation. An ordinary `#[coro::test]` is none.
    #[track_caller]
    pub fn current() -> Sim {
        let found = LoopHandle::try_current().and_then(|it| it.simulation().cloned());
        Sim(found.expect(
            "no simulation is running on this thread: call this in a test with \
             `#[coro::test(sim)]`, or in what `explore()` runs",
        ))
    }

    /// A decision of the test's own: a number below `of`. 0 is the plainest, so say with 0 that
    /// nothing special happens.
    ///
    /// It is replayed and shrunk as the others are. It is 0 if `of` is 0 or 1.
    pub fn choose(&self, of: u32) -> u32 {
        self.0.choices().choose_for_test(of)
    }

    /// A decision of the test's own: whether something happens that happens `millionths` times in a
    /// million. The plainest is that it does not.
    pub fn chance(&self, millionths: u32) -> bool {
        self.0.choices().chance_for_test(millionths)
    }

    /// Has `f` called before the step with this number, counted from 1; at once before the next step
    /// if that has begun already.
    ///
    /// A step is one poll of a task or one call of a callout. `f` is called outside of all tasks.
    pub fn at_step(&self, step: u64, f: impl FnOnce() + 'static) {
        self.0.at_step(step, Box::new(f));
    }

    /// How many steps have begun.
    pub fn steps(&self) -> u64 {
        self.0.choices().steps()
    }

    /// A number that two runs have in common if the same tasks took the same steps at the same
    /// times.
    pub fn digest(&self) -> u64 {
        self.0.choices().digest()
    }

    /// Has the next step chosen among all tasks that are ready, and not only among those that were
    /// ready when the present turn began.
    ///
    /// The order that the loop documents excludes such courses. Use it for code that shall not rely
    /// on that order.
    pub fn any_order(&self) {
        self.0.choose_among_all();
    }

    /// Has the test fail when it has taken this number of steps; a million by default.
    pub fn limit_steps(&self, steps: u64) {
        self.0.limit_steps(steps);
    }

    /// Has the test fail when virtual time has gone on for so long; a year by default.
    pub fn limit_time(&self, time: Duration) {
        self.0.limit_time(time);
    }

    /// Keeps a record of the run from now on, for [`chart`](Self::chart).
    ///
    /// A test of a single run has one from its beginning. One of many runs has none, to be quick,
    /// but for the run that is printed when it fails.
    pub fn record(&self) {
        self.0.choices().keep_trace();
    }

    /// Adds a line to the chart of the run.
    pub fn note(&self, text: impl Into<String>) {
        let now = LoopHandle::try_current().and_then(|it| it.virtual_time());
        let now = now.unwrap_or_default().as_nanos() as u64;
        self.0
            .choices()
            .trace(now, || TraceEvent::Note(text.into()));
    }

    /// The run so far as a sequence chart, in SVG: hosts or tasks side by side, time downwards.
    ///
    /// It shows what was [recorded](Self::record).
    pub fn chart(&self) -> String {
        picture::svg(&self.0.choices().trace_so_far())
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim")
            .field("steps", &self.steps())
            .finish_non_exhaustive()
    }
}
