//! `start_thread`, by which the library starts its own threads.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread. The closure is boxed, so that the compiler makes this once for all threads.
#[inline]
pub(crate) fn start_thread(
    builder: Builder,
    run: Box<dyn FnOnce() + Send>,
) -> io::Result<JoinHandle<()>> {
    builder.spawn(run)
}
