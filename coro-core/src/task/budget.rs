//! The budget of a step: how many leaves may be ready in one poll of a task.
//!
//! A *leaf* is a wait of this crate's own. It [takes](take) one unit from the budget before it gives
//! its result. If the budget is used up, the leaf changes nothing, wakes its task and is not ready.
//! So the step ends, and the next step begins with a full budget.
//!
//! A step may poll more after a leaf was refused: the other arm of a `select`, or the next members of
//! a group. An arm that would end the others must be heard, though it is polled last. So each refusal
//! grants half of the units that the one before granted, and at least one. After [`REFUSALS`] of them
//! a refusal grants nothing: the step must be a loop over several leaves that are always ready, in
//! which one leaf takes the unit that another's refusal has granted. An executor that runs inside of
//! the step, as `block_on` of another library does, never ends the step. So after [`SPINS`] refusals
//! the count starts again.

use std::task::{Context, Poll, Waker};

use super::current::{UNLIMITED, is_inside, with_budget};

/// How many leaves may be ready in one step.
const STEP: u32 = 128;

/// From this many refusals on a step is granted nothing more.
const REFUSALS: u32 = 256;

/// After this many refusals the count starts again: an executor inside of the step keeps it from
/// ending.
const SPINS: u32 = 4096;

/// Takes one unit. Gives `false` if the budget is used up: then a leaf that is ready asks
/// [`refuse`], and one that is not ready suspends as usual.
#[inline(always)]
pub(crate) fn take() -> bool {
    with_budget(|left, _| {
        let any = left.get() > 0;
        if any {
            left.set(left.get() - 1);
        }
        any
    })
}

/// Takes `more` units, for a leaf whose result costs as much as several, beside the one that it took.
pub(crate) fn take_more(more: u32) {
    with_budget(|left, _| left.set(left.get().saturating_sub(more)));
}

/// Gives back the unit that a leaf took before it turned out not to be ready.
#[inline(always)]
pub(crate) fn give_back() {
    with_budget(|left, _| left.set(left.get().saturating_add(1)));
}

/// Refuses a leaf that is ready when the budget is used up, and wakes its task. Gives `false` outside
/// of a loop, where no leaf is refused.
#[cold]
#[must_use]
pub(crate) fn refuse(waker: &Waker) -> bool {
    let refuses = is_inside();
    with_budget(|left, refused| match refuses {
        false => left.set(UNLIMITED),
        true => {
            let times = refused.get() % SPINS + 1;
            refused.set(times);
            left.set(left_after(times));
        }
    });
    if refuses {
        waker.wake_by_ref();
    }
    refuses
}

fn left_after(refusals: u32) -> u32 {
    match refusals < REFUSALS {
        true => STEP.checked_shr(refusals).unwrap_or(0).max(1),
        false => 0,
    }
}

/// Takes one unit for a leaf that is ready. If that is refused, the leaf must give `Pending`.
#[inline]
pub(crate) fn poll(cx: &mut Context<'_>) -> Poll<()> {
    match take() || !refuse(cx.waker()) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    }
}

/// Calls `f`, in which no leaf is refused.
pub(crate) fn unlimited<T>(f: impl FnOnce() -> T) -> T {
    /// Restores the budget, also if `f` panics.
    struct Before(u32);

    impl Drop for Before {
        fn drop(&mut self) {
            with_budget(|left, _| left.set(self.0));
        }
    }

    let _before = Before(with_budget(|left, _| left.replace(UNLIMITED)));
    f()
}

/// Begins a step. Gives whether a leaf was refused in the step before.
#[inline(always)]
pub(crate) fn begin_step() -> bool {
    with_budget(|left, refused| {
        left.set(STEP);
        refused.get() != 0 && refused.replace(0) != 0
    })
}

/// How many leaves were refused in this step.
#[inline(always)]
pub(crate) fn refusals() -> u32 {
    with_budget(|_, refused| refused.get())
}
