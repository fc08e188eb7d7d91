//! The reasons to wait. Every public facility is made of these.

pub(crate) mod answer;
pub(crate) mod change;
pub(crate) mod ready;
pub(crate) mod turn;
pub(crate) mod until;
