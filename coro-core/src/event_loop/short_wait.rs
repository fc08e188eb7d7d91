//! `ShortWaits`: how late a short sleep ends, and so which waits a loop spends awake.
//!
//! To sleep, the kernel sets a timer of the machine, is interrupted by it, and changes tasks. That
//! takes two microseconds on one machine and twenty-five on another, most of them CPU time of this
//! thread. A loop that waits for less than that, awake, takes no more CPU time, and is on time. The
//! loop cannot know the machine, so it measures its own sleeps.

use std::cell::Cell;

/// No wait of more nanoseconds is spent awake, nor is a sleep of more measured: a machine that sleeps
/// deeply wakes up late, but that takes no CPU time.
const SHORT_MAX: u64 = 25_000;

/// The weight of one sleep in the average is one in this number.
const AVERAGED: u64 = 16;

/// Once in this number of short waits the loop sleeps, to measure again.
const MEASURED_AGAIN: u32 = 1024;

#[derive(Default)]
pub(super) struct ShortWaits {
    /// How late short sleeps end, in nanoseconds: an average that begins with zero.
    late: Cell<u64>,
    /// The short waits so far.
    count: Cell<u32>,
}

impl ShortWaits {
    /// Whether a wait of `left` nanoseconds is spent awake.
    pub(super) fn is_short(&self, left: u64) -> bool {
        if left >= self.late.get() {
            return false;
        }
        self.count.set(self.count.get().wrapping_add(1));
        !self.count.get().is_multiple_of(MEASURED_AGAIN)
    }

    /// Notes how late a sleep of `left` nanoseconds has ended that nothing but the time has ended.
    pub(super) fn measure(&self, left: u64, late: u64) {
        if (1..SHORT_MAX).contains(&left) {
            let before = self.late.get();
            let share = late.min(SHORT_MAX) / AVERAGED;
            self.late.set(before - before / AVERAGED + share);
        }
    }

    /// Whether a sleep of `left` nanoseconds is to be measured.
    #[inline]
    pub(super) fn is_measured(left: u64) -> bool {
        left < SHORT_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_sleeps_as_late_as(late: u64) -> ShortWaits {
        let waits = ShortWaits::default();
        (0..200).for_each(|_| waits.measure(1_000, late));
        waits
    }

    #[test]
    fn a_wait_is_spent_awake_if_a_sleep_would_be_later_than_it_is_long() {
        let waits = ShortWaits::default();
        assert!(!waits.is_short(0));
        let waits = after_sleeps_as_late_as(8_000);
        assert!(waits.is_short(7_500) && !waits.is_short(8_001));
    }

    #[test]
    fn a_machine_that_wakes_up_late_does_not_keep_a_loop_awake() {
        let waits = after_sleeps_as_late_as(4_000_000);
        assert!(waits.is_short(SHORT_MAX - 1_000) && !waits.is_short(SHORT_MAX));
        assert!(!ShortWaits::is_measured(SHORT_MAX));
    }

    #[test]
    fn a_deadline_that_has_come_measures_no_sleep() {
        let waits = after_sleeps_as_late_as(8_000);
        (0..200).for_each(|_| waits.measure(0, 10));
        assert!(waits.is_short(7_500));
    }

    #[test]
    fn now_and_then_a_short_wait_is_slept_and_measured_again() {
        let waits = after_sleeps_as_late_as(20_000);
        let slept = (0..10 * MEASURED_AGAIN).filter(|_| !waits.is_short(10_000));
        assert_eq!(slept.count(), 10);
        (0..200).for_each(|_| waits.measure(10_000, 2_000));
        assert!(!waits.is_short(10_000) && waits.is_short(1_000));
    }
}
