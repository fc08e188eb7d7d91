//! `Pulse`: the step that a loop takes at present, as another thread can see it.
#![expect(
    unsafe_code,
    reason = "a reference to a static is kept as an atomic pointer"
)]

use std::panic::Location;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::thread::Thread;

use super::queue::Origin;

/// Written by the loop's thread alone, at the beginning of each step, and read by a watchdog.
///
/// It contains numbers and a reference to a static. No pointer leads from it to a task: the task may
/// be gone when the watchdog reads.
#[derive(Default)]
pub(crate) struct Pulse {
    steps: AtomicUsize,
    holder: AtomicUsize,
    origin: AtomicPtr<Location<'static>>,
    /// The watchdog sleeps until the loop wakes it.
    is_parked: AtomicBool,
    watchdog: OnceLock<Thread>,
}

/// What a loop does: one step, or the work between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Beat {
    steps: usize,
    pub(crate) holder: BusyWith,
    pub(crate) origin: Option<&'static Location<'static>>,
}

/// The holder of a loop's thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BusyWith {
    /// The loop sleeps, or does not run.
    Asleep,
    /// The loop itself, which polls descriptors and wakes wakers.
    Loop,
    Callout,
    /// The task with this number; zero is a main future.
    Task(u64),
}

impl BusyWith {
    fn to_number(self) -> usize {
        match self {
            BusyWith::Asleep => 0,
            BusyWith::Loop => 1,
            BusyWith::Callout => 2,
            BusyWith::Task(id) => (id as usize).wrapping_add(3), // cut to size on small machines
        }
    }

    fn of_number(number: usize) -> Self {
        match number {
            0 => BusyWith::Asleep,
            1 => BusyWith::Loop,
            2 => BusyWith::Callout,
            more => BusyWith::Task(more as u64 - 3),
        }
    }
}

impl Pulse {
    /// A step begins. No clock is read: the watchdog sees how long the number of steps stands still.
    #[inline]
    pub(super) fn begin(&self, holder: BusyWith, origin: Option<Origin>) {
        let origin = origin.map_or(ptr::null(), ptr::from_ref);
        self.origin.store(origin.cast_mut(), Ordering::Relaxed);
        self.holder.store(holder.to_number(), Ordering::Relaxed);
        let steps = self.steps.load(Ordering::Relaxed); // this thread alone writes it
        self.steps.store(steps.wrapping_add(1), Ordering::Release);
    }

    /// The loop wakes, or its run begins.
    pub(crate) fn wake(&self) {
        self.begin(BusyWith::Loop, None);
        // With the watchdog's own store and load of the two: either this load sees that it is parked,
        // or it sees that the loop is awake.
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.is_parked.load(Ordering::Relaxed)
            && let Some(watchdog) = self.watchdog.get()
        {
            watchdog.unpark();
        }
    }

    /// The loop works between two steps.
    pub(crate) fn between(&self) {
        self.begin(BusyWith::Loop, None);
    }

    /// The loop falls asleep, or its run ends.
    pub(crate) fn fall_asleep(&self) {
        self.begin(BusyWith::Asleep, None);
    }

    /// For the watchdog: the present step.
    ///
    /// The parts may be of two steps that follow one another, if one begins meanwhile. A beat that is
    /// read twice, with time in between, is of one.
    pub(crate) fn read(&self) -> Beat {
        let steps = self.steps.load(Ordering::Acquire);
        let origin = self.origin.load(Ordering::Relaxed);
        Beat {
            steps,
            holder: BusyWith::of_number(self.holder.load(Ordering::Relaxed)),
            // SAFETY: the pointer is null, or was made from a reference to a static.
            origin: unsafe { origin.as_ref() },
        }
    }

    /// For the watchdog: sleeps for as long as the loop does, or until `unpark`.
    pub(crate) fn park_while_asleep(&self) {
        self.watchdog.get_or_init(std::thread::current);
        self.is_parked.store(true, Ordering::Relaxed);
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.read().holder == BusyWith::Asleep {
            std::thread::park();
        }
        self.is_parked.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_has_the_step_that_began_last() {
        let pulse = Pulse::default();
        assert_eq!(pulse.read().holder, BusyWith::Asleep);
        let here = Location::caller();
        for holder in [BusyWith::Callout, BusyWith::Task(0), BusyWith::Task(7)] {
            let before = pulse.read();
            pulse.begin(holder, Some(here));
            let beat = pulse.read();
            assert_ne!(beat, before);
            assert_eq!((beat.holder, beat.origin), (holder, Some(here)));
            assert_eq!(pulse.read(), beat);
        }
        pulse.wake();
        assert_eq!(
            (pulse.read().holder, pulse.read().origin),
            (BusyWith::Loop, None)
        );
    }
}
