//! Many futures or tasks awaited as one.

pub use coro_core::error::Cancelled;
pub use coro_core::group::{
    AsCompleted, Buffered, CancelOn, CoroExt, Gather, GroupClosed, GroupHandle, Policy, Race,
    RaceOk, RemoteCancelToken, Retry, ReturnWhen, Scope, ScopeError, ScopedTask, Shield, TryGather,
    TryScope, WaitCancelled, Waited, as_completed, buffered, map_concurrent, race_ok, retry,
    shield, staggered_race, wait,
};
