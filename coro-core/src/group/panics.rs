//! The panic that a scope or a task group resumes at its end.

use std::cell::Cell;

use crate::panics::{Payload, drop_payload};

/// The first panic. The panic hook has printed the later ones, whose payloads are dropped.
#[derive(Default)]
pub(super) struct FirstPanic(Cell<Option<Payload>>);

impl FirstPanic {
    #[inline]
    pub(super) fn keep(&self, payload: Payload) {
        match self.0.take() {
            Some(first) => {
                self.0.set(Some(first));
                drop_payload(payload);
            }
            None => self.0.set(Some(payload)),
        }
    }

    #[inline]
    pub(super) fn take(&self) -> Option<Payload> {
        self.0.take()
    }
}
