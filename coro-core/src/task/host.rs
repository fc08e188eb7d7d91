//! `HOST`, the task-local that says which host of a simulation a task belongs to.

use std::cell::Cell;
use std::rc::Rc;

use super::context::TaskLocal;

/// The host of the present task or callout; inherited as every task-local is.
pub(crate) static HOST: TaskLocal<HostLife> = TaskLocal::new();

/// A host of a simulation, from its start to its end. A host that starts again has another life.
#[derive(Clone, Debug)]
pub(crate) struct HostLife {
    pub(crate) number: usize,
    has_ended: Rc<Cell<bool>>,
}

impl HostLife {
    pub(crate) fn new(number: usize) -> Self {
        HostLife {
            number,
            has_ended: Rc::default(),
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    pub(super) fn end(&self) {
        self.has_ended.set(true);
    }

    pub(super) fn is(&self, other: &HostLife) -> bool {
        Rc::ptr_eq(&self.has_ended, &other.has_ended)
    }
}

/// Wraps the closure of a callout, so that it is not called once its host has ended.
pub(super) fn unless_ended(f: Box<dyn FnOnce()>) -> Box<dyn FnOnce()> {
    match HOST.get() {
        None => f,
        Some(life) => Box::new(move || {
            if !life.has_ended() {
                f();
            }
        }),
    }
}
