//! The reasons to wait. Every public facility is made of these.

#[cfg(unix)]
pub(crate) mod descriptor;
pub(crate) mod ready;
pub(crate) mod thread;
pub(crate) mod until;
