//! The answers of a `LoopHandle` about simulations where their feature is off: there is none.

use super::LoopHandle;
#[cfg(feature = "net")]
use crate::sys::SimulatedHost;

impl LoopHandle {
    /// Refuses nothing.
    #[inline]
    pub(crate) fn refuse_in_simulation(_thing: &str) {}

    /// Gives none: no task belongs to a simulated host.
    #[cfg(feature = "net")]
    #[inline]
    pub(crate) fn simulated_host() -> Option<SimulatedHost> {
        None
    }
}
