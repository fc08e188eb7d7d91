//! Which loop this thread is inside of, and which task it is running: the only thread-local.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::rc::Rc;

use super::cell::Header;
use super::inbox::Inbox;
use super::owner::Owner;

/// No field needs dropping, so that the thread-local is usable for as long as its thread lives.
struct Current {
    inbox: Cell<*const Inbox>,
    owner: Cell<*const Owner>,
    task: Cell<Option<NonNull<Header>>>,
    /// What the rows above want to find here: the loop itself.
    context: RefCell<ManuallyDrop<Option<Rc<dyn Any>>>>,
}

thread_local! {
    static CURRENT: Current = const {
        Current {
            inbox: Cell::new(ptr::null()),
            owner: Cell::new(ptr::null()),
            task: Cell::new(None),
            context: RefCell::new(ManuallyDrop::new(None)),
        }
    };
}

/// The owner, if its loop is the one that this thread is inside of.
#[inline]
pub(super) fn owner_of(inbox: &Inbox) -> Option<*const Owner> {
    CURRENT.with(|current| ptr::eq(current.inbox.get(), inbox).then(|| current.owner.get()))
}

/// Whether this thread is inside of a loop.
pub(crate) fn is_inside() -> bool {
    CURRENT.with(|current| !current.owner.get().is_null())
}

/// The context of the loop that this thread is inside of.
pub(crate) fn context() -> Option<Rc<dyn Any>> {
    CURRENT.with(|current| (**current.context.borrow()).clone())
}

pub(super) fn task() -> Option<NonNull<Header>> {
    CURRENT.with(|current| current.task.get())
}

/// Inside the loop for as long as this lives; then again where the thread was before.
#[must_use]
pub(crate) struct Entered {
    inbox: *const Inbox,
    owner: *const Owner,
    task: Option<NonNull<Header>>,
    context: ManuallyDrop<Option<Rc<dyn Any>>>,
}

pub(crate) fn enter(owner: &Rc<Owner>, context: Rc<dyn Any>) -> Entered {
    CURRENT.with(|current| Entered {
        inbox: current.inbox.replace(ptr::from_ref(&**owner.inbox())),
        owner: current.owner.replace(Rc::as_ptr(owner)),
        task: current.task.take(),
        context: current.context.replace(ManuallyDrop::new(Some(context))),
    })
}

impl Drop for Entered {
    fn drop(&mut self) {
        let context = CURRENT.with(|current| {
            current.inbox.set(self.inbox);
            current.owner.set(self.owner);
            current.task.set(self.task);
            std::mem::swap(&mut *current.context.borrow_mut(), &mut self.context);
            std::mem::replace(&mut self.context, ManuallyDrop::new(None))
        });
        drop(ManuallyDrop::into_inner(context));
    }
}

/// The task is the current one for as long as this lives.
#[must_use]
pub(super) struct Running(Option<NonNull<Header>>);

#[inline]
pub(super) fn enter_task(task: NonNull<Header>) -> Running {
    Running(CURRENT.with(|current| current.task.replace(Some(task))))
}

impl Drop for Running {
    #[inline]
    fn drop(&mut self) {
        CURRENT.with(|current| current.task.set(self.0));
    }
}
