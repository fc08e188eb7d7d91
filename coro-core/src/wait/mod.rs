//! The leaves: every reason to wait has a file here, and every public facility is made of these.

pub(crate) mod blocked;
pub(crate) mod change;
#[cfg(all(unix, feature = "poll"))]
pub(crate) mod descriptor;
#[cfg(all(unix, feature = "net"))]
pub(crate) mod level;
pub(crate) mod one;
pub(crate) mod queue;
#[cfg(feature = "poll")]
pub(crate) mod ready;
pub(crate) mod staggered;
pub(crate) mod thread;
pub(crate) mod turn;
pub(crate) mod until;
pub(crate) mod wait_list;
