//! The machine behind `coro`: generators, tasks, the event loop and what is built on it.
//!
//! Use it through the facade, `coro`, which documents it. The modules stand in rows, each of which
//! imports only from those above it here; `ARCHITECTURE.md` says why.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "alloc")]
extern crate alloc;

// Row 0: words and pure structures.
#[cfg(feature = "std")]
mod error;
#[cfg(feature = "std")]
mod report;
#[cfg(feature = "std")]
mod timers;

// Row 1: what a machine gives, and generators.
#[cfg(feature = "std")]
mod clock;
pub mod generator;
#[cfg(feature = "std")]
mod primitives;
#[cfg(feature = "std")]
mod sys;

// Row 2: a task, and threads for what would block one.
#[cfg(feature = "std")]
mod pool;
#[cfg(feature = "std")]
mod task;

// Row 3: the loop.
#[cfg(feature = "std")]
mod event_loop;

// Row 4: the reasons to wait.
#[cfg(feature = "std")]
mod wait;

// Row 5: nouns that users know.
#[cfg(feature = "std")]
pub mod net;
#[cfg(all(feature = "std", unix))]
pub mod process;
#[cfg(feature = "std")]
pub mod signal;
#[cfg(feature = "std")]
pub mod sync;
#[cfg(feature = "std")]
pub mod threads;
#[cfg(feature = "std")]
mod time;

// Row 6: many as one.
#[cfg(feature = "std")]
mod group;

// Row 7: the doors.
#[doc(hidden)]
pub mod macro_support;
#[cfg(feature = "std")]
mod run;
#[cfg(feature = "std")]
mod testing;

#[cfg(feature = "std")]
pub use error::{Cancelled, Elapsed, JoinError, LoopClosed, Stopped};
#[cfg(all(unix, feature = "std"))]
pub use event_loop::FdWatch;
#[cfg(feature = "std")]
pub use event_loop::{
    Builder, CallHandle, EventLoop, LoopHandle, RemoteHandle, RemoteTask, TimerHandle, call_at,
    call_later, call_soon, current_task, spawn,
};
#[cfg(feature = "std")]
pub use group::{
    AsCompleted, Buffered, CancelOn, CancelToken, CoroExt, Gather, GroupClosed, GroupHandle, Named,
    Policy, Race, RaceOk, Retry, ReturnWhen, Scope, ScopeError, ScopedTask, Shield, TaskGroup,
    TryGather, TryScope, WaitCancelled, Waited, as_completed, buffered, gather, map_concurrent,
    race, race_ok, retry, scope, shield, staggered_race, try_gather, try_scope, wait,
};
#[cfg(feature = "std")]
pub use report::{ErrorReport, ReportKind};
#[cfg(feature = "std")]
pub use run::run;
#[cfg(feature = "std")]
pub use task::{Task, TaskHandle, TaskId, TaskLocal, WithValue};
#[cfg(feature = "std")]
pub use time::{
    Deadline, Interval, Sleep, Timeout, YieldNow, fail_after, interval, move_on_after, sleep,
    sleep_until, timeout, timeout_at, yield_now,
};
