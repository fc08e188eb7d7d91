//! Panics of foreign code: the payload they leave, and the locks they poison.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LockResult, PoisonError};

/// The value with which code panicked.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Drops the payload of a panic; should that panic too, the second payload is leaked.
pub(crate) fn drop_payload(payload: Payload) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(second);
    }
}

/// Ignores that a lock is poisoned. No foreign code runs under the locks of this crate, so their
/// values are consistent even after a panic.
pub(crate) fn unpoisoned<G>(locked: LockResult<G>) -> G {
    locked.unwrap_or_else(PoisonError::into_inner)
}
