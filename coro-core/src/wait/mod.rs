//! The reasons to wait. Every public facility is made of these.

mod line;
pub(crate) mod queue;
pub(crate) mod ready;
pub(crate) mod until;
