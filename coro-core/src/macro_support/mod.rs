//! What the expansion of the attributes calls: no part of the public interface.

#[cfg(feature = "std")]
pub use crate::run::run as run_main;
#[cfg(feature = "std")]
pub use crate::testing::{TestClock, run_test};
