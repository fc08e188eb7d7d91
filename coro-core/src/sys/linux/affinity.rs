//! The processors that a thread may run on.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The numbers of the processors that the calling thread may run on, and the threads that it
/// starts. It is empty if the machine has more processors than one mask can name.
pub(crate) fn allowed_processors() -> Vec<usize> {
    let mask = sched_getaffinity(None).unwrap_or_default();
    let is_allowed = |processor: &usize| mask.is_set(*processor);
    (0..CpuSet::MAX_CPU).filter(is_allowed).collect()
}

/// Has the calling thread run on one processor only.
pub(crate) fn pin_to(processor: usize) -> io::Result<()> {
    let mut mask = CpuSet::new();
    mask.set(processor);
    Ok(sched_setaffinity(None, &mask)?)
}
