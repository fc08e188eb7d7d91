//! The panic that a scope or a task group resumes at its end.

use std::any::Any;
use std::cell::Cell;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(super) type Payload = Box<dyn Any + Send>;

/// The first panic. The panic hook has printed the later ones, whose payloads are dropped.
#[derive(Default)]
pub(super) struct FirstPanic(Cell<Option<Payload>>);

impl FirstPanic {
    pub(super) fn keep(&self, payload: Payload) {
        match self.0.take() {
            Some(first) => {
                self.0.set(Some(first));
                drop_payload(payload);
            }
            None => self.0.set(Some(payload)),
        }
    }

    pub(super) fn take(&self) -> Option<Payload> {
        self.0.take()
    }
}

/// Drops the payload of a panic; should that panic too, the second payload is leaked.
pub(super) fn drop_payload(payload: Payload) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(second);
    }
}
