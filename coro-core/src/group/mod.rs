//! Many awaited as one.

mod gather;
mod race;
mod ready;
mod scope;
mod shield;

pub use gather::{Gather, gather};
pub use race::{Race, race};
pub use scope::{Policy, Scope, ScopeError, ScopedTask, TryScope, scope, try_scope};
pub use shield::{Shield, shield};
