//! Many awaited as one.

mod gather;
mod race;
mod shield;

pub use gather::{Gather, gather};
pub use race::{Race, race};
pub use shield::{Shield, shield};
