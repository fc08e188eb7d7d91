//! `HOST`, the task-local that says which host of a simulation a task belongs to.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::context::TaskLocal;

/// The host of the present task or callout; inherited as every task-local is.
pub(crate) static HOST: TaskLocal<HostLife> = TaskLocal::new();

/// A host of a simulation, from its start to its end. A host that starts again has another life.
#[derive(Clone)]
pub(crate) struct HostLife {
    pub(crate) number: usize,
    shared: Rc<SharedLife>,
}

#[derive(Default)]
struct SharedLife {
    has_ended: Cell<bool>,
    /// The closures of its callouts that were not called yet.
    callouts: RefCell<Vec<Weak<Closure>>>,
}

type Closure = Cell<Option<Box<dyn FnOnce()>>>;

impl HostLife {
    pub(crate) fn new(number: usize) -> Self {
        HostLife {
            number,
            shared: Rc::default(),
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.shared.has_ended.get()
    }

    /// Ends the life; gives the closures of the callouts, for the caller to drop.
    pub(super) fn end(&self) -> Vec<Box<dyn FnOnce()>> {
        self.shared.has_ended.set(true);
        let callouts = self.shared.callouts.take();
        let closures = callouts.iter().filter_map(|it| it.upgrade()?.take());
        closures.collect()
    }

    pub(super) fn is(&self, other: &HostLife) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }

    fn keep(&self, f: Box<dyn FnOnce()>) -> Rc<Closure> {
        let closure = Rc::new(Cell::new(Some(f)));
        let mut callouts = self.shared.callouts.borrow_mut();
        if callouts.len() == callouts.capacity() {
            callouts.retain(|it| it.strong_count() > 0); // before it grows
        }
        callouts.push(Rc::downgrade(&closure));
        closure
    }
}

/// Wraps the closure of a callout, so that it is dropped when its host ends, and not called.
pub(super) fn unless_ended(f: Box<dyn FnOnce()>) -> Box<dyn FnOnce()> {
    let Some(life) = HOST.get() else {
        return f;
    };
    if life.has_ended() {
        return Box::new(|| {});
    }
    let closure = life.keep(f);
    Box::new(move || {
        if let Some(f) = closure.take() {
            f();
        }
    })
}
