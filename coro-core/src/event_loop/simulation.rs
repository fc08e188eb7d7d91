//! The `Simulation` that a loop is run in: its choices, its world, the keys of its tasks, its limits.

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use super::LoopHandle;
use crate::choices::{Choices, Series};
use crate::clock::nanos;
#[cfg(feature = "net")]
use crate::machine::Kernel;
#[cfg(feature = "net")]
use crate::sys::SimulatedHost;
use crate::task::{HOST, HostLife, ReadyNode, Scheduler};
use crate::world::SimulatedWorld;

/// A simulation takes at most this number of steps, unless the test says otherwise.
const STEPS_MAX: u64 = 1_000_000;

/// For so long virtual time may go on, unless the test says otherwise.
const TIME_MAX: Duration = Duration::from_secs(60 * 60 * 24 * 366);

/// The series of the main future.
const MAIN: Series = Series::named("main");

/// The spawner of tasks and callouts that no step has made: timers, descriptors and other threads.
const OUTSIDE: Series = Series::named("outside");

type Action = Box<dyn FnOnce()>;

pub(crate) struct Simulation {
    choices: Rc<Choices>,
    world: OnceCell<Rc<dyn SimulatedWorld>>,
    /// Nothing real takes part: no descriptor, no thread, no real time.
    pub(super) is_closed_world: bool,
    /// Whether the next step is chosen among all that are ready, and not only among the turn's.
    pub(super) any_order: Cell<bool>,
    steps_max: Cell<u64>,
    time_max: Cell<u64>,
    /// The notes on each task, by its number; the first is of the main future.
    tasks: RefCell<Vec<TaskNote>>,
    /// How many tasks each has spawned.
    spawned: RefCell<BTreeMap<Series, u64>>,
    /// The step that was chosen and has not been taken, by the steps that the turn has left.
    pub(super) chosen: Cell<Option<isize>>,
    /// Actions of the test, each before the step with its number.
    actions: RefCell<Vec<(u64, Action)>>,
}

/// What a simulation knows of a task.
#[derive(Clone, Copy)]
struct TaskNote {
    /// Its key: its spawner's key, and which of its tasks this is.
    series: Series,
    steps: u64,
}

impl TaskNote {
    fn new(series: Series) -> Self {
        TaskNote { series, steps: 0 }
    }
}

impl Simulation {
    /// A simulation in which nothing real takes part.
    pub(crate) fn new(choices: Rc<Choices>) -> Rc<Self> {
        Rc::new(Self::of(choices, true))
    }

    /// An ordinary loop, whose order is drawn from a seed.
    pub(super) fn of_order(seed: u64) -> Rc<Self> {
        Rc::new(Self::of(Choices::from_seed(seed).into(), false))
    }

    fn of(choices: Rc<Choices>, is_closed_world: bool) -> Self {
        Simulation {
            choices,
            world: OnceCell::new(),
            is_closed_world,
            any_order: Cell::new(false),
            steps_max: Cell::new(if is_closed_world { STEPS_MAX } else { u64::MAX }),
            time_max: Cell::new(if is_closed_world {
                nanos(TIME_MAX)
            } else {
                u64::MAX
            }),
            tasks: RefCell::new(vec![TaskNote::new(MAIN)]),
            spawned: RefCell::default(),
            chosen: Cell::new(None),
            actions: RefCell::default(),
        }
    }

    pub(crate) fn choices(&self) -> &Rc<Choices> {
        &self.choices
    }

    /// Gives the simulation its world, once.
    pub(crate) fn set_world(&self, world: Rc<dyn SimulatedWorld>) {
        assert!(self.world.set(world).is_ok(), "a simulation has one world");
    }

    pub(super) fn world(&self) -> Option<&Rc<dyn SimulatedWorld>> {
        self.world.get()
    }

    /// The world, if it is of this type.
    pub(crate) fn world_as<W: Any>(&self) -> Option<Rc<W>> {
        self.world()?.clone().into_any().downcast().ok()
    }

    pub(crate) fn choose_among_all(&self) {
        self.any_order.set(true);
    }

    pub(crate) fn limit_steps(&self, steps: u64) {
        self.steps_max.set(steps);
    }

    pub(crate) fn limit_time(&self, time: Duration) {
        self.time_max.set(nanos(time));
    }

    /// Has `action` called before the step with this number.
    pub(crate) fn at_step(&self, step: u64, action: Action) {
        self.actions.borrow_mut().push((step, action));
    }

    /// The actions before the next step.
    pub(super) fn take_actions(&self) -> Vec<Action> {
        let next = self.choices.steps() + 1;
        let mut actions = self.actions.borrow_mut();
        let due = actions.extract_if(.., |(step, _)| *step <= next);
        due.map(|(_, action)| action).collect()
    }

    /// Notes the tasks and callouts that the present step has spawned or made ready.
    pub(super) fn note_arrivals_of_step(&self, scheduler: &Scheduler, steps_ready: usize) {
        self.note_arrivals(scheduler, steps_ready, self.choices.present());
    }

    /// Notes those that have become ready between steps.
    pub(super) fn note_arrivals_from_outside(&self, scheduler: &Scheduler, steps_ready: usize) {
        self.note_arrivals(scheduler, steps_ready, OUTSIDE);
    }

    /// `steps_ready` counts the ready queue without dumps.
    fn note_arrivals(&self, scheduler: &Scheduler, steps_ready: usize, maker: Series) {
        let known = self.tasks.borrow().len() as u64;
        for _ in known..=scheduler.last_id() {
            self.note_spawn(maker);
        }
        for index in self.choices.waiting()..scheduler.ready_len() {
            let Some(node) = scheduler.ready_node(index) else {
                continue;
            };
            if node.looks {
                self.choices.arrive_dump();
                continue;
            }
            let series = match node.task {
                Some(id) => self.tasks.borrow()[id as usize].series,
                None => series_of_callout(node.origin, maker),
            };
            self.choices.arrive(series, steps_ready == 1);
        }
    }

    fn note_spawn(&self, maker: Series) {
        let mut spawned = self.spawned.borrow_mut();
        let nth = spawned.entry(maker).or_default();
        *nth += 1;
        let task = TaskNote::new(maker.and(*nth));
        self.tasks.borrow_mut().push(task);
    }

    pub(super) fn count_step(&self, node: ReadyNode) {
        if let Some(id) = node.task {
            self.tasks.borrow_mut()[id as usize].steps += 1;
        }
    }

    /// # Panics
    ///
    /// Beyond a limit.
    pub(super) fn check_limits(&self, now: u64, scheduler: &Rc<Scheduler>) {
        let (steps, steps_max) = (self.choices.steps(), self.steps_max.get());
        assert!(
            steps < steps_max,
            "the simulation took {steps} steps without an end: the busiest are {}; \
             if it needs more, raise the limit by `Sim::limit_steps`",
            self.busiest(scheduler)
        );
        assert!(
            now <= self.time_max.get(),
            "the simulation went on for {} s of virtual time without an end: the busiest are {}; \
             if it needs more, raise the limit by `Sim::limit_time`",
            now / 1_000_000_000,
            self.busiest(scheduler)
        );
    }

    /// The three tasks with the most steps.
    fn busiest(&self, scheduler: &Rc<Scheduler>) -> String {
        let notes = self.tasks.borrow();
        let mut busy: Vec<(u64, String)> = vec![(notes[0].steps, "the main future".to_owned())];
        for task in scheduler.tasks() {
            let steps = notes
                .get(task.number() as usize)
                .map_or(0, |note| note.steps);
            busy.push((steps, format!("{} of {}", task.name(), task.origin())));
        }
        busy.sort_by_key(|(steps, _)| std::cmp::Reverse(*steps));
        let busiest = busy.iter().take(3).filter(|(steps, _)| *steps > 0);
        let busiest = busiest.map(|(steps, name)| format!("{name}, with {steps}"));
        busiest.collect::<Vec<_>>().join("; ")
    }
}

impl LoopHandle {
    /// The simulation that the loop is run in, in which nothing real takes part.
    pub(crate) fn simulation(&self) -> Option<&Rc<Simulation>> {
        let simulation = self.core().simulation.as_ref();
        simulation.filter(|simulation| simulation.is_closed_world)
    }

    /// # Panics
    ///
    /// If the thread is inside of a simulation, which does not have `thing`.
    #[track_caller]
    pub(crate) fn refuse_in_simulation(thing: &str) {
        let is_simulated = Self::try_current().is_some_and(|it| it.simulation().is_some());
        assert!(
            !is_simulated,
            "there is no {thing} in a simulation: put it behind a function of your own that the test \
             replaces, or write the test with `#[coro::test(real)]`"
        );
    }

    /// The simulated host of the present task, if the thread is inside of a simulation with hosts.
    #[cfg(feature = "net")]
    pub(crate) fn simulated_host() -> Option<SimulatedHost> {
        let kernel = Self::try_current()?.simulation()?.world_as::<Kernel>()?;
        let number = HOST.with(|life| life.map_or(0, |life| life.number));
        Some(SimulatedHost { kernel, number })
    }

    /// Ends the tasks and callouts of a simulated host.
    pub(crate) fn end_host(&self, life: &HostLife) {
        self.core().scheduler.end_host(life);
    }
}

fn series_of_callout(origin: &Location<'_>, maker: Series) -> Series {
    let place = u64::from(origin.line()) << 32 | u64::from(origin.column());
    Series::named(origin.file())
        .and(place)
        .and(maker.number().into())
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("steps", &self.choices.steps())
            .finish_non_exhaustive()
    }
}
