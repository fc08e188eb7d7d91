//! One `Turn`: which step is next, when the loop polls, and for how long it may sleep.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Core;
use super::handle::Due;
use super::short_wait::ShortWaits;
use crate::task::{Ran, budget, prefetch};
use crate::timers::NEVER;

/// After this many steps the loop looks at its descriptors and timers, though more is ready.
const STEPS_PER_POLL: isize = 64;

/// How many timers fire at one look, under a real clock. If more are due, those that have fired take
/// their steps first: they are still in the cache then, and a loop that is late does not stall.
const FIRED_MAX: usize = 64;

/// If the next timer is due in less than this, in nanoseconds, the loop gives no memory back before it
/// sleeps: in a storm of timers, that would take more time than the timers.
const CALM: u64 = 200_000;

/// How long a loop sleeps at most whose interruption cannot wake it.
const LOOK: Duration = Duration::from_millis(50);

/// The progress of the present turn.
#[derive(Default)]
pub(super) struct Turn {
    begun: bool,
    /// Steps that are still to be taken.
    left: isize,
    /// The loop polls when `left` has come down to this; below zero, in a later turn. At first that
    /// is at once.
    poll_at: isize,
}

/// Why [`Core::advance`] came back.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Advance {
    /// The main future's turn has come.
    Main,
    /// A dump is to be taken now.
    Look,
    /// [`LoopHandle::stop`](super::LoopHandle::stop) was called, or a signal interrupts the run.
    Stopped,
}

impl Turn {
    /// Begins the turn's steps. How many may still be taken before the loop polls is carried over.
    #[inline(always)]
    fn add_steps(&mut self, ready: usize) {
        let steps = ready as isize; // far fewer than addresses
        self.left += steps;
        self.poll_at += steps;
    }
}

impl Core {
    /// Runs turn after turn until the main future has to be polled, or the loop was stopped.
    ///
    /// Panics are caught here and in [`finish`](Self::finish), at most once a turn, and not once a
    /// step; the steps go on after them.
    pub(super) fn advance(&self, turn: &mut Turn) -> Advance {
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.run_turns(turn))) {
                Ok(advance) => return advance,
                Err(payload) => self.end_panicked(payload),
            }
        }
    }

    /// Runs the rest of a turn; main futures are not polled.
    pub(super) fn finish(&self, turn: &mut Turn) {
        while let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.run_rest(turn))) {
            self.end_panicked(payload);
        }
    }

    /// Ends the task that has panicked.
    #[cold]
    fn end_panicked(&self, payload: Box<dyn Any + Send>) {
        self.scheduler.end_panicked(payload);
        self.stamp_timers();
    }

    /// Takes one whole turn, without sleeping.
    pub(super) fn take_turn(&self, turn: &mut Turn) {
        self.poll_sources(turn, false);
        turn.add_steps(self.scheduler.ready_len());
        self.finish(turn);
    }

    // The two that run under `catch_unwind` take the loop and the turn as arguments. A closure that
    // the compiler does not inline there would load them from its captures again in every step.
    #[inline(always)]
    fn run_turns(&self, turn: &mut Turn) -> Advance {
        loop {
            match self.run_until_main(turn) {
                Some(Ran::Main) => return Advance::Main,
                Some(_) => return Advance::Look,
                None => {}
            }
            if self.stopping.get() && turn.begun {
                self.stopping.set(false);
                return Advance::Stopped;
            }
            let ready = self.scheduler.ready_len();
            if ready == 0 || turn.poll_at >= 0 || self.clock.is_virtual() {
                self.poll_sources(turn, ready == 0);
            }
            #[cfg(debug_assertions)]
            self.storm();
            turn.add_steps(self.scheduler.ready_len());
        }
    }

    #[inline(always)]
    fn run_rest(&self, turn: &mut Turn) {
        while let Some(ran) = self.run_until_main(turn) {
            if ran == Ran::Look {
                self.dump_without_main();
            }
        }
    }

    /// Runs the rest of the turn, but comes back when the turn of a main future or of a dump has come.
    ///
    /// A step that used up its budget was a long one: the loop polls before it goes on.
    #[inline(always)]
    fn run_until_main(&self, turn: &mut Turn) -> Option<Ran> {
        loop {
            let poll_at = turn.poll_at.max(0);
            while turn.left > poll_at && !budget::begin_step() {
                turn.left -= 1;
                let ran = self.scheduler.run_next();
                if ran >= Ran::Main {
                    self.stamp_timers();
                    return Some(ran);
                }
                self.stamp_timers();
            }
            if turn.left == 0 {
                return None;
            }
            self.poll_sources(turn, false);
        }
    }

    /// Gives the timers that a step has armed their deadlines: they count from its end, so that no
    /// timer can fire early, however long ago the clock was last read.
    #[inline(always)]
    pub(super) fn stamp_timers(&self) {
        if self.has_fresh.get() {
            self.stamp_fresh();
        }
    }

    // Inlined, it would take the registers from the steps.
    #[cold]
    #[inline(never)]
    fn stamp_fresh(&self) {
        self.has_fresh.set(false);
        self.timers.borrow_mut().stamp(self.clock.now());
    }

    /// Appends to the ready queue the tasks and callouts that other threads, descriptors and timers
    /// make ready.
    #[cold]
    fn poll_sources(&self, turn: &mut Turn, is_idle: bool) {
        turn.begun = true;
        turn.poll_at = turn.left - STEPS_PER_POLL;
        // No function of another file is given the turn itself: the compiler could not keep its
        // numbers in registers then.
        #[cfg(feature = "simulation")]
        if let Some(simulation) = &self.simulation {
            turn.poll_at = (turn.left - 1).max(0); // the loop looks again after one step
            if self.begin_simulated(simulation, turn.left, is_idle) {
                return;
            }
        }
        self.stamp_timers(); // foreign code may arm some between steps, as a waker does
        if let Some(pulse) = self.scheduler.pulse() {
            pulse.between();
        }
        let may_sleep = is_idle
            && !self.stopping.get()
            && !self.trim_memory()
            && !self.when_blocked.is_awaited();
        if may_sleep && self.spin() {
            // Below, as after a sleep.
        } else if may_sleep && self.scheduler.inbox().fall_asleep() {
            self.sleep_unwatched();
            self.scheduler.inbox().wake_up();
        } else {
            self.clock.track_real_time(self.is_anything_real());
            if self.reactor.has_sources() {
                let _ = self.reactor.wait(Some(Duration::ZERO));
            }
        }
        if let Some(flag) = self.interrupted.get()
            && flag.load(Ordering::Relaxed)
        {
            self.stopping.set(true);
        }
        #[cfg(all(unix, feature = "signal"))]
        self.look_for_signal();
        self.scheduler.deliver();
        self.reactor.dispatch(|waker| self.scheduler.wake(waker));
        let is_late = self.fire();
        let is_blocked = is_idle && !is_late && self.scheduler.ready_len() == 0;
        if is_blocked && self.when_blocked.is_awaited() {
            self.serve_when_blocked();
        }
        #[cfg(feature = "simulation")]
        if let Some(simulation) = &self.simulation {
            self.end_simulated(simulation, turn.left);
        }
    }

    /// Before it sleeps, looks for descriptors and messages again and again, for as long as the
    /// builder has asked for. Gives whether anything came, or a timer is due.
    #[inline(always)]
    fn spin(&self) -> bool {
        self.busy_poll != 0 && !self.clock.is_virtual() && self.spin_awhile()
    }

    #[cold]
    #[inline(never)]
    fn spin_awhile(&self) -> bool {
        let deadline = self.timers.borrow().next_deadline().unwrap_or(NEVER);
        let end = self.clock.now().saturating_add(self.busy_poll);
        loop {
            if let Some(pulse) = self.scheduler.pulse() {
                pulse.between(); // it is busy, but no step holds it up
            }
            if self.scheduler.inbox().is_pending() || self.reactor.wait(Some(Duration::ZERO)) {
                return true;
            }
            let now = self.clock.now();
            if now >= deadline || now >= end {
                return now >= deadline;
            }
            std::hint::spin_loop();
        }
    }

    /// Sleeps, which a watchdog must not take for a step.
    #[inline(always)]
    fn sleep_unwatched(&self) {
        if let Some(pulse) = self.scheduler.pulse() {
            pulse.fall_asleep();
        }
        self.sleep();
        if let Some(pulse) = self.scheduler.pulse() {
            pulse.wake();
        }
    }

    /// Waits for an event, a message or the next timer. A virtual clock jumps to that timer
    /// instead, if nothing real is outstanding.
    fn sleep(&self) {
        let deadline = self
            .timers
            .borrow()
            .next_deadline()
            .filter(|&deadline| deadline != NEVER);
        let real = self.is_anything_real();
        self.clock.track_real_time(real);
        match deadline {
            _ if self.looks_before_sleep(deadline.is_none() && !real) => {}
            Some(deadline) if self.clock.is_virtual() && !real => self.clock.jump(deadline),
            Some(deadline) => self.sleep_until(deadline),
            None => {
                let _ = self.reactor.wait(self.capped(None));
            }
        }
        self.clock.track_real_time(real);
    }

    // Inlined, it would take the registers from loops without a timer, as would `fire_due`.
    #[inline(never)]
    fn sleep_until(&self, deadline: u64) {
        let left = deadline.saturating_sub(self.clock.now());
        if self.short_waits.is_short(left) {
            return self.wait_awake(deadline);
        }
        let timeout = self.capped(Some(Duration::from_nanos(left)));
        if !self.reactor.wait(timeout) && ShortWaits::is_measured(left) {
            self.measure_sleep(left, deadline);
        }
    }

    #[cold]
    fn measure_sleep(&self, left: u64, deadline: u64) {
        let late = self.clock.now().checked_sub(deadline);
        if let Some(late) = late.filter(|_| !self.scheduler.inbox().is_pending()) {
            self.short_waits.measure(left, late);
        }
    }

    /// Waits for a timer that is due sooner than a sleep would end, or for anything that comes before.
    /// A loop with a virtual clock, which stands still meanwhile, measures no sleep and so never does.
    #[cold]
    fn wait_awake(&self, deadline: u64) {
        self.reactor.check_home();
        let looks = self.reactor.has_sources();
        loop {
            if looks && self.reactor.wait(Some(Duration::ZERO)) {
                return;
            }
            if self.scheduler.inbox().is_pending() || self.clock.now() >= deadline {
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// The time for which to sleep. A handler of signals cannot wake the loop on Windows, so a loop that
    /// a signal interrupts looks for it from time to time.
    #[inline(always)]
    fn capped(&self, timeout: Option<Duration>) -> Option<Duration> {
        if cfg!(unix) || self.interrupted.get().is_none() {
            return timeout;
        }
        Some(timeout.map_or(LOOK, |timeout| timeout.min(LOOK)))
    }

    /// Whether a descriptor, a job or a remote handle is outstanding, so that virtual time must not
    /// jump.
    fn is_anything_real(&self) -> bool {
        self.reactor.is_waited_for() || self.scheduler.inbox().has_handles()
    }

    /// Fires the timers that are due: under a virtual clock all of them, so that they are one turn.
    /// Gives whether more may be due.
    #[inline(always)]
    pub(super) fn fire(&self) -> bool {
        if self.timers.borrow().next_deadline().is_none() {
            self.looked_at.set(NEVER);
            return false;
        }
        self.fire_due()
    }

    #[inline(never)]
    fn fire_due(&self) -> bool {
        let now = self.clock.now();
        self.looked_at.set(now);
        let most = match self.clock.is_virtual() {
            false => FIRED_MAX,
            true => usize::MAX,
        };
        for _ in 0..most {
            let due = self.timers.borrow_mut().pop_due(now);
            match due {
                None => return false,
                Some(Due::Wake(waker)) => {
                    self.scheduler.wake(waker);
                    self.prefetch_soon();
                }
                Some(Due::Call(callout)) => callout.enqueue(&self.scheduler),
            }
        }
        true
    }

    /// Loads the task of a timer that fires a little later. Among a million tasks each is far from
    /// the one before, and the loop would wait for its memory.
    #[inline(always)]
    fn prefetch_soon(&self) {
        if let Some(Due::Wake(waker)) = self.timers.borrow().soon() {
            prefetch(waker);
        }
    }

    /// Gives back memory that a burst of tasks needed, unless a timer is due soon. Gives whether there
    /// is more to give back.
    #[inline(always)]
    fn trim_memory(&self) -> bool {
        self.scheduler.has_spare_memory() && self.trim_if_calm()
    }

    #[cold]
    fn trim_if_calm(&self) -> bool {
        let next = self.timers.borrow().next_deadline().unwrap_or(NEVER);
        let is_calm = self.clock.is_virtual() || next >= self.clock.now().saturating_add(CALM);
        is_calm && self.scheduler.trim_memory()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::panic::Location;
    use std::sync::mpsc;

    use super::super::{EventLoop, LoopHandle};
    use crate::pool::{Executor, new_job};

    #[test]
    fn a_job_on_another_thread_is_real_under_either_clock_until_it_is_over() {
        let virtual_loop = EventLoop::builder().virtual_time().build();
        for mut event_loop in [EventLoop::new().unwrap(), virtual_loop.unwrap()] {
            let core = event_loop.core.clone();
            let over = event_loop.run_until_complete(async {
                assert!(!core.is_anything_real());
                let (end, ended) = mpsc::channel::<()>();
                let current = LoopHandle::current();
                let run = move |_: &_| ended.recv().is_err();
                let (job, outcome) = new_job(run, current.home(), Location::caller());
                current.thread_pool().execute(job);
                assert!(core.is_anything_real());
                drop(end);
                let over = poll_fn(|cx| outcome.poll(cx.waker())).await;
                assert!(over.is_ok());
                while core.is_anything_real() {
                    std::thread::yield_now(); // the thread wakes the task first
                }
            });
            over.unwrap();
        }
    }
}
