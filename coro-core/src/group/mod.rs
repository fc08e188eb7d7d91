//! Groups of futures, or of tasks, that are awaited as one.

mod as_completed;
mod chain;
mod error;
mod gather;
mod map_concurrent;
mod members;
mod panics;
mod places;
mod race;
mod race_ok;
mod ready;
mod retry;
mod scope;
mod shield;
mod staggered;
mod task_group;
mod token;
mod try_gather;
mod verdict;
mod wait;

pub use as_completed::{AsCompleted, as_completed};
pub use chain::CoroExt;
pub use error::ScopeError;
pub use gather::{Gather, gather};
pub use map_concurrent::{Buffered, buffered, map_concurrent};
pub use race::{Race, race};
pub use race_ok::{RaceOk, race_ok};
pub use retry::{Retry, retry};
pub use scope::{Scope, ScopedTask, TryScope, scope, try_scope};
pub use shield::{Shield, shield};
pub use staggered::staggered_race;
pub use task_group::{GroupClosed, GroupHandle, TaskGroup};
pub use token::{CancelOn, CancelToken, WaitCancelled};
pub use try_gather::{TryGather, try_gather};
pub use verdict::Policy;
pub use wait::{ReturnWhen, Waited, wait};
