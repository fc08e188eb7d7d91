//! The budget of a step: how many waits in it may find at once what they wait for.
//!
//! A leaf, which is a wait of ours, [takes](take) one from it before it gives its result. When none
//! is left the leaf takes nothing, wakes its task and is not ready: so the step ends, and the next
//! begins with a full budget.
//!
//! A step may poll more after a leaf was refused: the other arm of a `select`, or the next members of
//! a group. An arm that would end the others must be heard, though it is polled last, so each refusal
//! leaves half as much as the one before, and one at least. After [`REFUSALS`] of them the step has
//! nothing left: it is a loop over several leaves that are always ready, of which one gives what
//! another was refused. An executor that runs inside of the step, as `block_on` of another library
//! does, never ends it: after [`SPINS`] refusals it starts anew.

use std::task::{Context, Poll, Waker};

use super::current::{is_inside, with_budget};

/// How many waits may be ready at once in one step.
const STEP: u32 = 128;

/// After this many refusals a step is granted nothing more.
const REFUSALS: u32 = 256;

/// After this many refusals the step is taken for one that an executor of its own keeps from ending.
const SPINS: u32 = 4096;

/// Outside of a loop there is no budget to speak of.
pub(super) const UNLIMITED: u32 = u32::MAX;

/// Takes one; `false` if none is left: then the leaf asks [`refuse`], or is not ready anyway.
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

/// Takes `more` than the one that was taken for a wait whose result costs as much as several.
pub(crate) fn take_more(more: u32) {
    with_budget(|left, _| left.set(left.get().saturating_sub(more)));
}

/// Gives back one that was taken: the leaf was not ready.
#[inline(always)]
pub(crate) fn give_back() {
    with_budget(|left, _| left.set(left.get().saturating_add(1)));
}

/// Refuses a leaf that is ready though nothing is left, and wakes its task; `false` outside of a
/// loop, where nothing is refused.
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

/// For a leaf that is ready: whether it may say so in this step.
#[inline]
pub(crate) fn poll(cx: &mut Context<'_>) -> Poll<()> {
    match take() || !refuse(cx.waker()) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    }
}

/// Calls `f`, in which no leaf is refused.
pub(crate) fn unlimited<T>(f: impl FnOnce() -> T) -> T {
    /// What was left before, also if `f` panics.
    struct Before(u32);

    impl Drop for Before {
        fn drop(&mut self) {
            with_budget(|left, _| left.set(self.0));
        }
    }

    let _before = Before(with_budget(|left, _| left.replace(UNLIMITED)));
    f()
}

/// Begins a step; gives whether the one before it had to end because its budget was used up.
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
