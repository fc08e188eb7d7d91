//! The processors that a thread may run on.

use std::io;

use core_affinity::{CoreId, get_core_ids, set_for_current};

/// The numbers of the processors that the calling thread may run on, and the threads that it
/// starts. It is empty if the system does not tell.
#[inline]
pub(crate) fn allowed_processors() -> Vec<usize> {
    let allowed = get_core_ids().unwrap_or_default();
    allowed.into_iter().map(|processor| processor.id).collect()
}

/// Has the calling thread run on one processor only.
#[inline]
pub(crate) fn pin_to(processor: usize) -> io::Result<()> {
    match set_for_current(CoreId { id: processor }) {
        true => Ok(()),
        false => Err(io::Error::last_os_error()),
    }
}
