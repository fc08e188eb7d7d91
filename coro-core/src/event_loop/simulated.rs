//! The look of a loop in a `Simulation`: it comes before every step, and chooses that step.

use std::rc::Rc;
use std::time::Duration;

use super::Core;
use super::simulation::Simulation;
use crate::choices::{Chosen, TraceEvent};
use crate::timers::NEVER;

/// For how long a simulation that can only go on by another thread waits for it, in real time.
const PATIENCE: Duration = Duration::from_secs(5);

impl Core {
    /// Begins a look in a simulation, when `left` steps of the turn are left; gives whether that was all
    /// of it. In an ordinary loop, whose order alone is drawn, the sources are real.
    #[cold]
    #[inline(never)]
    pub(super) fn begin_simulated(
        &self,
        simulation: &Rc<Simulation>,
        left: isize,
        is_idle: bool,
    ) -> bool {
        simulation.note_arrivals_of_step(&self.scheduler, self.steps_ready());
        if simulation.is_closed_world {
            self.poll_world(simulation, is_idle);
            self.end_simulated(simulation, left);
        }
        simulation.is_closed_world
    }

    /// Ends a look in a simulation: chooses the next step.
    #[cold]
    #[inline(never)]
    pub(super) fn end_simulated(&self, simulation: &Rc<Simulation>, left: isize) {
        simulation.note_arrivals_from_outside(&self.scheduler, self.steps_ready());
        self.choose(simulation, left);
    }

    /// Moves virtual time and the world to the next event if nothing is ready.
    fn poll_world(&self, simulation: &Simulation, may_sleep: bool) {
        self.stamp_timers();
        self.scheduler.deliver();
        if may_sleep && self.scheduler.ready_len() == 0 && !self.stopping.get() {
            self.move_time(simulation);
        }
        if let Some(world) = simulation.world() {
            world.advance(self.clock.now());
            while let Some((token, readiness)) = world.take_ready() {
                self.reactor
                    .dispatch_one(token, readiness, |waker| self.scheduler.wake(waker));
            }
        }
        self.fire();
    }

    /// Nothing is ready: wakes those that wait for this, or else jumps to the next event.
    fn move_time(&self, simulation: &Simulation) {
        let next = self.next_instant(simulation);
        let is_due = next.is_some_and(|instant| instant <= self.clock.now());
        if is_due || self.serve_when_blocked() {
            return;
        }
        match next {
            Some(instant) => self.clock.jump(instant),
            None => self.wait_for_threads(),
        }
        simulation.check_limits(self.clock.now(), &self.scheduler);
    }

    fn next_instant(&self, simulation: &Simulation) -> Option<u64> {
        let timer = self.timers.borrow().next_deadline();
        let event = simulation.world().and_then(|world| world.next_event());
        let timer = timer.filter(|&deadline| deadline != NEVER);
        [timer, event].into_iter().flatten().min()
    }

    /// Nothing in the simulation can wake a task; a handle on another thread may.
    fn wait_for_threads(&self) {
        if self.scheduler.inbox().has_handles() && self.scheduler.inbox().fall_asleep() {
            self.reactor.wait(Some(PATIENCE));
            self.scheduler.inbox().wake_up();
        }
        self.scheduler.deliver();
        if self.scheduler.ready_len() == 0 {
            let unfinished = self.unfinished();
            self.ask(Box::new(move |_, tree| {
                // A task may go on because the dump polls it: the deadlock stays one all the same.
                panic!(
                    "deadlock: no task is ready, no timer is armed and nothing is under way; \
                     the unfinished tasks: {unfinished}\n{tree}"
                )
            }));
        }
    }

    /// The names of the unfinished tasks; a dump shows where they wait.
    fn unfinished(&self) -> String {
        let tasks = self.scheduler.tasks();
        let mut names = vec!["the main future".to_owned()];
        names.extend(
            tasks
                .iter()
                .map(|task| format!("{} of {}", task.name(), task.origin())),
        );
        names.join("; ")
    }

    /// Chooses the next step among those of the turn, and has it run next.
    fn choose(&self, simulation: &Rc<Simulation>, left: isize) {
        if simulation.chosen.take() == Some(left) {
            simulation.chosen.set(Some(left)); // the step that was chosen is still to be taken
            return;
        }
        for action in simulation.take_actions() {
            action();
            simulation.note_arrivals_from_outside(&self.scheduler, self.steps_ready());
        }
        let ready = self.scheduler.ready_len();
        let of_turn = usize::try_from(left).unwrap_or(0).min(ready);
        let candidates = match simulation.any_order.get() {
            true if of_turn > 0 => ready,
            _ => of_turn,
        };
        if let Some(chosen) = simulation.choices().take_next(candidates) {
            simulation.chosen.set(Some(left));
            self.scheduler.bring_forward(chosen.at);
            self.announce_step(simulation, &chosen);
        }
    }

    /// The node at the head of the ready queue runs next.
    fn announce_step(&self, simulation: &Simulation, chosen: &Chosen) {
        let Some(node) = self.scheduler.ready_node(0).filter(|node| !node.looks) else {
            return; // a dump is no step of the program: it changes neither count nor digest
        };
        let (choices, now) = (simulation.choices(), self.clock.now());
        let ready = self.steps_ready();
        choices.begin_step(now, chosen.who, ready as u64);
        simulation.count_step(node);
        choices.trace(now, || TraceEvent::Step {
            name: match self.scheduler.ready_name(0) {
                Some(name) => name.into(),
                None => "callout".into(),
            },
            origin: match node.task {
                Some(0) => "the test".to_owned(),
                _ => node.origin.to_string(),
            },
            ready,
            lag: chosen.lag,
        });
        simulation.check_limits(now, &self.scheduler);
    }
}
