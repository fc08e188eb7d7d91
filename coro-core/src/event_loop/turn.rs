//! One turn: what runs next, and how long the loop may sleep.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Core;
use super::handle::Due;
use crate::task::{Ran, budget};
use crate::timers::NEVER;

/// After this many steps the loop looks at its descriptors and timers, though more is ready.
const STEPS_PER_POLL: u32 = 64;

/// How far the present turn has come.
#[derive(Default)]
pub(super) struct Turn {
    begun: bool,
    left: usize,
    steps_since_poll: u32,
}

/// Why [`Core::advance`] came back.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Advance {
    /// The main future's turn has come.
    Main,
    /// Somebody called `stop`.
    Stopped,
}

impl Core {
    /// Runs turn after turn until the main future has to be polled, or the loop was stopped.
    pub(super) fn advance(&self, turn: &mut Turn) -> Advance {
        self.catching(|| {
            loop {
                while turn.left > 0 {
                    if self.step(turn) == Some(Ran::Main) {
                        return Advance::Main;
                    }
                }
                if turn.begun && self.stopping.take() {
                    return Advance::Stopped;
                }
                self.begin(turn);
            }
        })
    }

    /// Runs what is left of a turn; main futures are not polled.
    pub(super) fn finish(&self, turn: &mut Turn) {
        self.catching(|| {
            while turn.left > 0 {
                let _ = self.step(turn);
            }
        });
    }

    /// Calls `steps`, and again after each panic of a task, which ends that task. So panics are
    /// caught once a turn or seldomer, not once a step.
    fn catching<T>(&self, mut steps: impl FnMut() -> T) -> T {
        loop {
            match catch_unwind(AssertUnwindSafe(&mut steps)) {
                Ok(value) => return value,
                Err(payload) => {
                    self.scheduler.end_panicked(payload);
                    self.stamp_timers();
                }
            }
        }
    }

    /// Takes one whole turn, without sleeping.
    pub(super) fn take_turn(&self, turn: &mut Turn) {
        self.poll_sources(turn, false);
        turn.left = self.scheduler.ready_len();
        self.finish(turn);
    }

    fn begin(&self, turn: &mut Turn) {
        let dry = self.scheduler.ready_len() == 0;
        self.note_spent(turn);
        if dry || turn.steps_since_poll >= STEPS_PER_POLL || self.clock.is_virtual() || !turn.begun
        {
            self.poll_sources(turn, dry);
        }
        turn.begun = true;
        turn.left = self.scheduler.ready_len();
    }

    #[inline(always)]
    fn step(&self, turn: &mut Turn) -> Option<Ran> {
        self.note_spent(turn);
        if turn.steps_since_poll >= STEPS_PER_POLL {
            self.poll_sources(turn, false);
        }
        turn.left -= 1;
        turn.steps_since_poll += 1;
        let ran = self.scheduler.run_next();
        self.stamp_timers();
        ran
    }

    /// Fills the budget of the next step. If the one before used its own up it was a long one, and
    /// the loop looks at its descriptors and timers before it goes on.
    #[inline(always)]
    fn note_spent(&self, turn: &mut Turn) {
        if budget::begin_step() {
            turn.steps_since_poll = STEPS_PER_POLL;
        }
    }

    /// Gives the timers that a step has armed their deadlines: they count from its end, so that no
    /// timer can fire early, however long ago the clock was last read.
    #[inline(always)]
    pub(super) fn stamp_timers(&self) {
        if self.has_fresh.take() {
            self.timers.borrow_mut().stamp(self.clock.now());
        }
    }

    /// Appends to the ready queue what other threads, descriptors and timers have to say.
    #[cold]
    fn poll_sources(&self, turn: &mut Turn, may_sleep: bool) {
        turn.steps_since_poll = 0;
        self.stamp_timers(); // foreign code may arm some between steps, as a waker does
        let may_sleep = may_sleep && !self.stopping.get() && !self.scheduler.trim_memory();
        if may_sleep && self.spin() {
            // Whatever ended the spinning is dealt with below.
        } else if may_sleep && self.scheduler.inbox().fall_asleep() {
            self.sleep();
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
        self.scheduler.deliver();
        self.reactor.dispatch(|waker| self.scheduler.wake(waker));
        self.fire();
    }

    /// Before it sleeps, looks for descriptors and messages again and again, for as long as the
    /// builder has asked for; whether anything came, or a timer is due.
    fn spin(&self) -> bool {
        if self.busy_poll == 0 || self.clock.is_virtual() {
            return false;
        }
        let deadline = self.timers.borrow().next_deadline().unwrap_or(NEVER);
        let end = self.clock.now().saturating_add(self.busy_poll);
        loop {
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

    /// Waits for whatever comes first; under a virtual clock, moves it there if that may be.
    fn sleep(&self) {
        let deadline = self
            .timers
            .borrow()
            .next_deadline()
            .filter(|&deadline| deadline != NEVER);
        let real = self.is_anything_real();
        self.clock.track_real_time(real);
        match deadline {
            Some(deadline) if self.clock.is_virtual() && !real => self.clock.jump(deadline),
            Some(deadline) => {
                let left = deadline.saturating_sub(self.clock.now());
                let _ = self.reactor.wait(Some(Duration::from_nanos(left)));
            }
            None => {
                let _ = self.reactor.wait(None);
            }
        }
        self.clock.track_real_time(real);
    }

    /// Whether something outside of this loop may still want to be heard at its own real time.
    fn is_anything_real(&self) -> bool {
        self.reactor.is_waited_for() || self.scheduler.inbox().has_handles()
    }

    fn fire(&self) {
        if self.timers.borrow().next_deadline().is_none() {
            return;
        }
        let now = self.clock.now();
        loop {
            let due = self.timers.borrow_mut().pop_due(now);
            match due {
                None => break,
                Some(Due::Wake(waker)) => self.scheduler.wake(waker),
                Some(Due::Call(callout)) => callout.enqueue(&self.scheduler),
            }
        }
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
