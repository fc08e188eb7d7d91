//! The atomics by which threads share a task or a group: the standard library's, or loom's in its tests.

#[cfg(not(all(loom, test)))]
mod chosen {
    pub(crate) use std::alloc::{alloc, dealloc};
    pub(crate) use std::sync::atomic::{
        AtomicBool, AtomicIsize, AtomicPtr, AtomicU16, AtomicU32, AtomicUsize, Ordering, fence,
    };
    pub(crate) use std::sync::{Arc, Mutex, MutexGuard};
}

#[cfg(all(loom, test))]
mod chosen {
    pub(crate) use loom::alloc::{alloc, dealloc};
    pub(crate) use loom::sync::atomic::{
        AtomicBool, AtomicIsize, AtomicPtr, AtomicU16, AtomicU32, AtomicUsize, Ordering, fence,
    };
    pub(crate) use loom::sync::{Arc, Mutex, MutexGuard};
}

pub(crate) use chosen::*;

/// Between two accesses that are `SeqCst`: loom takes those for `AcqRel`, and has to be told by a fence.
#[inline(always)]
pub(crate) fn fence_for_loom() {
    #[cfg(all(loom, test))]
    fence(Ordering::SeqCst);
}
