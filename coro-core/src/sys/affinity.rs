//! The processors that a thread may run on.

#[cfg(not(target_os = "linux"))]
use fallback as platform;
#[cfg(target_os = "linux")]
use linux as platform;

pub(crate) use platform::{allowed_processors, pin_to};

#[cfg(target_os = "linux")]
mod linux {
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
}

#[cfg(not(target_os = "linux"))]
mod fallback {
    use std::io;

    /// None that could be pinned to.
    pub(crate) fn allowed_processors() -> Vec<usize> {
        Vec::new()
    }

    pub(crate) fn pin_to(_: usize) -> io::Result<()> {
        Ok(())
    }
}
