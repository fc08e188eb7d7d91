//! The current loop of a thread, in the only thread-local.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr;
use std::rc::Rc;

use super::inbox::Inbox;
use super::scheduler::Scheduler;

/// All values of task-locals that a task has, by the addresses of their keys; few, as a rule.
pub(crate) type Values = Rc<Vec<(usize, Rc<dyn Any>)>>;

/// The budget outside of a loop, where no step has to end.
pub(super) const UNLIMITED: u32 = u32::MAX;

/// No field needs dropping, so that the thread-local is usable for as long as its thread lives.
struct Current {
    inbox: Cell<*const Inbox>,
    scheduler: Cell<*const Scheduler>,
    /// The loop itself, as a pointer out of its `Rc`, and its type, which belongs to a higher row.
    context: Cell<*const ()>,
    context_type: Cell<Option<TypeId>>,
    /// The values of the task-locals, if some are set.
    values: Cell<ManuallyDrop<Option<Values>>>,
    has_values: Cell<bool>,
    /// The rest of the present step's budget.
    budget: Cell<u32>,
    /// How many leaves were refused in this step because the budget was used up.
    refused: Cell<u32>,
    /// How many polls for a dump this thread is in.
    #[cfg(not(any(target_vendor = "apple", coro_portable)))]
    looking: Cell<u32>,
}

#[cfg(not(all(loom, test)))]
thread_local! {
    static CURRENT: Current = const { Current::outside() };
}

#[cfg(all(loom, test))]
loom::thread_local! {
    static CURRENT: Current = Current::outside();
}

impl Current {
    const fn outside() -> Self {
        Current {
            inbox: Cell::new(ptr::null()),
            scheduler: Cell::new(ptr::null()),
            context: Cell::new(ptr::null()),
            context_type: Cell::new(None),
            values: Cell::new(ManuallyDrop::new(None)),
            has_values: Cell::new(false),
            budget: Cell::new(UNLIMITED),
            refused: Cell::new(0),
            #[cfg(not(any(target_vendor = "apple", coro_portable)))]
            looking: Cell::new(0),
        }
    }
}

/// The scheduler with this inbox, if this thread is inside of its loop.
#[inline]
pub(super) fn scheduler_of(inbox: &Inbox) -> Option<*const Scheduler> {
    CURRENT.with(|current| ptr::eq(current.inbox.get(), inbox).then(|| current.scheduler.get()))
}

/// The scheduler whose loop this thread is inside of; null outside of all loops.
#[inline]
pub(super) fn scheduler() -> *const Scheduler {
    CURRENT.with(|current| current.scheduler.get())
}

/// How many polls for a dump this thread is in.
#[cfg(not(any(target_vendor = "apple", coro_portable)))]
#[inline(always)]
pub(super) fn looking() -> u32 {
    CURRENT.with(|current| current.looking.get())
}

#[cfg(not(any(target_vendor = "apple", coro_portable)))]
pub(super) fn set_looking(polls: u32) {
    CURRENT.with(|current| current.looking.set(polls));
}

/// Whether this thread is inside of a loop.
#[inline]
pub(crate) fn is_inside() -> bool {
    !scheduler().is_null()
}

/// The loop that this thread is inside of, if it is a `C`: a pointer out of the `Rc` that [`enter`] was
/// given. The `Rc` lives until the `Entered` guard is dropped.
#[inline]
pub(super) fn context<C: 'static>() -> Option<*const C> {
    CURRENT.with(|current| {
        let is_it = current.context_type.get() == Some(TypeId::of::<C>());
        is_it.then(|| current.context.get().cast())
    })
}

/// Calls `f` with the rest of the step's budget, and with the number of refusals.
#[inline(always)]
pub(super) fn with_budget<T>(f: impl FnOnce(&Cell<u32>, &Cell<u32>) -> T) -> T {
    CURRENT.with(|current| f(&current.budget, &current.refused))
}

/// Whether there are values of task-locals.
#[inline]
pub(crate) fn has_values() -> bool {
    CURRENT.with(|current| current.has_values.get())
}

/// The values of the task-locals.
pub(crate) fn values() -> Option<Values> {
    let values = replace_values(None);
    let before = replace_values(values.clone());
    debug_assert!(before.is_none());
    values
}

/// Puts other values in place, and gives the earlier ones, for the caller to drop.
pub(super) fn replace_values(values: Option<Values>) -> Option<Values> {
    CURRENT.with(|current| {
        current.has_values.set(values.is_some());
        ManuallyDrop::into_inner(current.values.replace(ManuallyDrop::new(values)))
    })
}

/// Keeps this thread inside of a loop. When it is dropped, the thread is again inside of the earlier
/// loop, or of none.
#[must_use]
pub(crate) struct Entered {
    inbox: *const Inbox,
    scheduler: *const Scheduler,
    context: *const (),
    context_type: Option<TypeId>,
    budget: u32,
    /// The loop that the thread is inside of until this is dropped.
    _inside: Rc<dyn Any>,
}

pub(crate) fn enter(scheduler: &Rc<Scheduler>, context: Rc<dyn Any>) -> Entered {
    CURRENT.with(|current| Entered {
        inbox: current.inbox.replace(ptr::from_ref(&**scheduler.inbox())),
        scheduler: current.scheduler.replace(Rc::as_ptr(scheduler)),
        context: current.context.replace(Rc::as_ptr(&context).cast()),
        context_type: current.context_type.replace(Some((*context).type_id())),
        budget: current.budget.replace(UNLIMITED),
        _inside: context,
    })
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.with(|current| {
            current.inbox.set(self.inbox);
            current.scheduler.set(self.scheduler);
            current.budget.set(self.budget);
            current.context.set(self.context);
            current.context_type.set(self.context_type);
        });
    }
}
