//! One run of a test in a simulation: `run_once`.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;

use super::output::TestOutput;
use super::quiet::{QuietPanic, quietly, text_of};
use super::sim::Sim;
use super::unseen::Unseen;
use crate::choices::{Choices, Decision, Script, TraceLine};
use crate::event_loop::{EventLoop, Simulation};
use crate::machine::Kernel;
use crate::run::{new_loop, run_on};

/// One run of a test in a simulation, after its end.
#[derive(Debug)]
pub(super) struct SimRun {
    pub(super) failure: Option<RunFailure>,
    pub(super) steps: u64,
    pub(super) digest: u64,
    pub(super) taken: Vec<Decision>,
    pub(super) trace: Vec<TraceLine>,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunFailure {
    pub(super) text: String,
    /// The place of the panic, if it was one.
    pub(super) place: Option<String>,
}

impl RunFailure {
    /// Whether both are failures of the same kind: a test that is shrunk must not go over to another.
    pub(super) fn is_like(&self, other: &RunFailure) -> bool {
        self.place == other.place
    }

    /// A failure with this text; its panic is the last that said the same.
    fn of(text: String, panics: &[QuietPanic]) -> Self {
        let is_it = |panic: &&QuietPanic| text.contains(&panic.message);
        let place = panics.iter().rfind(is_it).map(|panic| panic.place.clone());
        RunFailure { text, place }
    }
}

impl fmt::Display for RunFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{} (at {place})", self.text),
            None => write!(f, "{}", self.text),
        }
    }
}

impl SimRun {
    /// The decisions that were not the plainest.
    pub(super) fn script(&self) -> Script {
        let all = self.taken.iter();
        all.map(|taken| (taken.place, taken.chosen)).collect()
    }
}

/// The settings of a run beside its decisions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RunSettings {
    pub(super) any_order: bool,
    pub(super) trace: bool,
}

/// A test as a future that gives the text of its failure.
type TestFuture<'a> = Pin<Box<dyn Future<Output = Option<String>> + 'a>>;

/// Runs a test in a simulation with these decisions. A panic is caught, and nothing is printed.
pub(super) fn run_once<T: TestOutput>(
    choices: Choices,
    settings: RunSettings,
    test: &impl AsyncFn(&Sim) -> T,
) -> SimRun {
    run_test_future(choices, settings, &|sim| {
        Box::pin(async move { test(&sim).await.failure() })
    })
}

/// Does not know the type of the test, so a program of tests has one copy of it.
fn run_test_future<'a>(
    choices: Choices,
    settings: RunSettings,
    test: &dyn Fn(Sim) -> TestFuture<'a>,
) -> SimRun {
    let simulation = Simulation::new(Rc::new(choices));
    simulation.set_world(Kernel::new(simulation.choices().clone(), "test"));
    if settings.trace {
        simulation.choices().keep_trace();
    }
    if settings.any_order {
        simulation.choose_among_all();
    }
    let sim = Sim(simulation.clone());
    let unseen = Unseen::default();
    let (outcome, panics) = quietly(|| {
        let made = EventLoop::builder().build_simulated(simulation.clone());
        let event_loop = new_loop(made);
        unseen.watch(&event_loop);
        run_on(event_loop, test(sim))
    });
    let text = match outcome {
        Ok(failure) => failure.or_else(|| unseen.failure()),
        Err(payload) => Some(text_of(payload.as_ref())),
    };
    let choices = simulation.choices();
    SimRun {
        failure: text.map(|text| RunFailure::of(text, &panics)),
        steps: choices.steps(),
        digest: choices.digest(),
        taken: choices.take_taken(),
        trace: choices.take_trace(),
    }
}
