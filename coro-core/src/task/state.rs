//! The state of a task or callout, as named transitions that return a duty.

use crate::primitives::{AtomicU16, Ordering::Relaxed};

/// It stands in the ready queue.
const QUEUED: u16 = 1;
/// It is being polled.
const RUNNING: u16 = 1 << 1;
/// It was woken since its last poll began.
const WOKEN: u16 = 1 << 2;
/// It was cancelled: no poll begins any more.
const CANCELLED: u16 = 1 << 3;
/// Its future is gone: it is never woken, cancelled or polled any more.
const DONE: u16 = 1 << 4;
/// There is a handle that can take the output, and has not done so.
const WATCHED: u16 = 1 << 5;
/// It stands in for a main future, which cannot be cancelled.
const MAIN: u16 = 1 << 6;
/// A joiner is to be woken, or callbacks are to be called, when it is done.
const AWAITED: u16 = 1 << 7;
/// Dropping the handle that can take the output cancels it.
const BOUND: u16 = 1 << 8;

/// Written by the owner's thread alone, with plain loads and stores. Other threads may ask `is_done`.
pub(super) struct State(AtomicU16);

/// The phase of a task, for readers outside of the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskPhase {
    /// It waits to be woken.
    Idle,
    /// It stands in the ready queue.
    Queued,
    /// It is being polled, or its future is being dropped.
    Running,
    Finished,
}

/// A state as it was at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) phase: TaskPhase,
    /// Whether it was cancelled. A finished task may have given its output all the same.
    pub(super) cancelled: bool,
}

/// The duty after a wake-up or a cancellation.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wake {
    Enqueue,
    Nothing,
}

/// The duty towards a task that was popped from the ready queue.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begin {
    Poll,
    /// Drop the future: the task was cancelled.
    Drop,
    /// It was finished while it stood in the queue: give up the loop's reference, which was kept for
    /// that.
    Release,
}

/// The duty after a poll that was not ready.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Suspend {
    Enqueue,
    Nothing,
}

/// The duties towards a task that has just finished.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Complete {
    /// Keep the output, for the handle that can take it.
    pub(super) watched: bool,
    /// Wake the joiner and queue the callbacks.
    pub(super) awaited: bool,
    /// Keep the loop's reference until the task is popped.
    pub(super) queued: bool,
}

impl State {
    /// Queued, running, cancelled, done: for readers of the memory of the process.
    pub(super) const BITS: [u16; 4] = [QUEUED, RUNNING, CANCELLED, DONE];

    #[inline]
    pub(super) fn idle() -> Self {
        State(AtomicU16::new(0))
    }

    /// The state of a task that is in no queue yet, and has a handle.
    #[inline]
    pub(super) fn idle_task() -> Self {
        State(AtomicU16::new(WATCHED))
    }

    /// The state of a task that is put in the queue, and has a handle.
    #[inline]
    pub(super) fn queued_task() -> Self {
        State(AtomicU16::new(QUEUED | WOKEN | WATCHED))
    }

    pub(super) fn main() -> Self {
        State(AtomicU16::new(MAIN))
    }

    #[inline]
    fn get(&self) -> u16 {
        self.0.load(Relaxed)
    }

    #[inline]
    fn set(&self, bits: u16) {
        self.0.store(bits, Relaxed);
    }

    #[inline]
    fn has(&self, bits: u16) -> bool {
        self.get() & bits != 0
    }

    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.has(DONE)
    }

    #[inline]
    pub(super) fn is_cancelled(&self) -> bool {
        self.has(CANCELLED)
    }

    #[inline(always)]
    pub(super) fn wake(&self) -> Wake {
        let bits = self.get();
        if bits & DONE != 0 {
            return Wake::Nothing;
        }
        self.add_and_enqueue_unless_busy(bits | WOKEN)
    }

    /// Cancels. Gives `None` if it is done or was cancelled before, or is a main future's.
    #[inline]
    pub(super) fn cancel(&self) -> Option<Wake> {
        if self.has(DONE | CANCELLED | MAIN) {
            return None;
        }
        Some(self.add_and_enqueue_unless_busy(self.get() | CANCELLED))
    }

    #[inline(always)]
    fn add_and_enqueue_unless_busy(&self, bits: u16) -> Wake {
        if bits & (QUEUED | RUNNING) != 0 {
            self.set(bits);
            return Wake::Nothing;
        }
        self.set(bits | QUEUED);
        Wake::Enqueue
    }

    #[inline(always)]
    pub(super) fn begin(&self) -> Begin {
        let bits = self.get() & !QUEUED;
        if bits & (DONE | CANCELLED) != 0 {
            return self.begin_end_of_life(bits);
        }
        self.set(bits & !WOKEN | RUNNING);
        Begin::Poll
    }

    #[cold]
    fn begin_end_of_life(&self, bits: u16) -> Begin {
        if bits & DONE != 0 {
            self.set(bits);
            return Begin::Release;
        }
        self.set(bits & !WOKEN | RUNNING);
        Begin::Drop
    }

    /// For a first poll that does not go through the queue.
    #[inline]
    pub(super) fn begin_at_once(&self) {
        self.set(self.get() & !(QUEUED | WOKEN) | RUNNING);
    }

    #[inline(always)]
    pub(super) fn suspend(&self) -> Suspend {
        let bits = self.get() & !RUNNING;
        if bits & (WOKEN | CANCELLED) == 0 {
            self.set(bits);
            return Suspend::Nothing;
        }
        self.set(bits | QUEUED);
        Suspend::Enqueue
    }

    /// For a task whose future is dropped at once, though it may stand in the queue.
    pub(super) fn begin_end(&self) {
        self.set(self.get() | RUNNING | CANCELLED);
    }

    #[inline]
    pub(super) fn complete(&self) -> Complete {
        let bits = self.get();
        self.set(bits & !(RUNNING | WOKEN) | DONE);
        Complete {
            watched: bits & WATCHED != 0,
            awaited: bits & AWAITED != 0,
            queued: bits & QUEUED != 0,
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let bits = self.get();
        let phase = match bits {
            _ if bits & DONE != 0 => TaskPhase::Finished,
            _ if bits & RUNNING != 0 => TaskPhase::Running,
            _ if bits & QUEUED != 0 => TaskPhase::Queued,
            _ => TaskPhase::Idle,
        };
        let cancelled = bits & CANCELLED != 0;
        Snapshot { phase, cancelled }
    }

    #[inline]
    pub(super) fn set_awaited(&self) {
        self.set(self.get() | AWAITED);
    }

    /// Whether the handle that can take the output is there, and has not taken it.
    #[inline]
    pub(super) fn is_watched(&self) -> bool {
        self.has(WATCHED)
    }

    /// Whether the output is kept. It is from when a watched task is done until it is unwatched.
    #[inline]
    pub(super) fn has_output(&self) -> bool {
        self.get() & (DONE | WATCHED) == DONE | WATCHED
    }

    /// Notes that the output was taken, or that there is no handle any more that could take it.
    #[inline]
    pub(super) fn unwatch(&self) {
        self.set(self.get() & !WATCHED);
    }

    /// Notes that dropping the handle that can take the output cancels the task.
    pub(super) fn bind_to_handle(&self) {
        self.set(self.get() | BOUND);
    }

    pub(super) fn is_bound_to_handle(&self) -> bool {
        self.has(BOUND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> State {
        let state = State::queued_task();
        assert_eq!(state.begin(), Begin::Poll);
        state
    }

    #[test]
    fn a_wake_up_during_the_poll_queues_once_after_it() {
        let state = started();
        assert_eq!(state.wake(), Wake::Nothing);
        assert_eq!(state.wake(), Wake::Nothing);
        assert_eq!(state.suspend(), Suspend::Enqueue);
        assert_eq!(state.wake(), Wake::Nothing);
        assert_eq!(state.begin(), Begin::Poll);
        assert_eq!(state.suspend(), Suspend::Nothing);
        assert_eq!(state.wake(), Wake::Enqueue);
    }

    #[test]
    fn a_task_cancelled_before_its_first_poll_is_never_polled() {
        let state = State::queued_task();
        assert_eq!(state.cancel(), Some(Wake::Nothing));
        assert_eq!(state.wake(), Wake::Nothing);
        assert_eq!(state.begin(), Begin::Drop);
    }

    #[test]
    fn a_cancelled_task_is_dropped_whether_it_was_woken_before_or_after_or_not_at_all() {
        let after = started();
        assert_eq!(after.suspend(), Suspend::Nothing);
        assert_eq!(after.cancel(), Some(Wake::Enqueue));
        assert_eq!(after.cancel(), None);
        assert_eq!(after.wake(), Wake::Nothing);
        assert_eq!(after.begin(), Begin::Drop);

        let before = started();
        assert_eq!(before.suspend(), Suspend::Nothing);
        assert_eq!(before.wake(), Wake::Enqueue);
        assert_eq!(before.cancel(), Some(Wake::Nothing));
        assert_eq!(before.begin(), Begin::Drop);

        let never = started();
        assert_eq!(never.suspend(), Suspend::Nothing);
        assert_eq!(never.cancel(), Some(Wake::Enqueue));
        assert_eq!(never.begin(), Begin::Drop);
    }

    #[test]
    fn a_task_cancelled_and_woken_while_it_runs_is_dropped_at_its_next_turn() {
        let state = started();
        assert_eq!(state.cancel(), Some(Wake::Nothing));
        assert_eq!(state.wake(), Wake::Nothing);
        assert_eq!(state.suspend(), Suspend::Enqueue);
        assert_eq!(state.begin(), Begin::Drop);
    }

    #[test]
    fn a_snapshot_follows_the_transitions() {
        let seen = |state: &State| {
            let Snapshot { phase, cancelled } = state.snapshot();
            (phase, cancelled)
        };
        let state = State::idle();
        assert_eq!(seen(&state), (TaskPhase::Idle, false));
        assert_eq!(state.wake(), Wake::Enqueue);
        assert_eq!(seen(&state), (TaskPhase::Queued, false));
        assert_eq!(state.begin(), Begin::Poll);
        assert_eq!(state.wake(), Wake::Nothing);
        assert_eq!(seen(&state), (TaskPhase::Running, false));
        assert_eq!(state.suspend(), Suspend::Enqueue);
        assert_eq!(state.cancel(), Some(Wake::Nothing));
        assert_eq!(seen(&state), (TaskPhase::Queued, true));
        assert_eq!(state.begin(), Begin::Drop);
        assert_eq!(seen(&state), (TaskPhase::Running, true));
        let _ = state.complete();
        assert_eq!(seen(&state), (TaskPhase::Finished, true));
    }

    #[test]
    fn a_task_finished_in_the_queue_is_released_when_taken_from_it() {
        let state = State::queued_task();
        state.begin_end();
        assert_eq!(
            state.complete(),
            Complete {
                watched: true,
                awaited: false,
                queued: true
            }
        );
        assert_eq!(state.wake(), Wake::Nothing);
        assert_eq!(state.begin(), Begin::Release);
    }

    #[test]
    fn an_output_is_kept_for_a_handle_and_taken_once() {
        let state = started();
        assert!(state.is_watched() && !state.has_output());
        assert!(state.complete().watched);
        assert!(state.has_output());
        state.unwatch();
        assert!(!state.is_watched() && !state.has_output());

        let detached = started();
        detached.unwatch();
        assert!(!detached.complete().watched);
        assert!(!detached.has_output());
    }
}
