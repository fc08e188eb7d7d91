//! Generators, tasks, an event loop, for the crate `coro`.
//!
//! Use it through `coro`, which documents it. The modules stand in rows: each imports only from
//! rows above its own here. `ARCHITECTURE.md` gives the reasons.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(all(
        feature = "affinity",
        feature = "ancillary",
        feature = "net",
        feature = "process",
        feature = "simulation"
    )),
    allow(
        unreachable_pub,
        unused,
        reason = "lower rows hold what only a room that is left out needs"
    )
)]

#[cfg(feature = "alloc")]
extern crate alloc;

// Row 0: words and pure structures.
#[cfg(feature = "simulation")]
mod choices;
#[cfg(feature = "std")]
pub mod error;
#[cfg(feature = "simulation")]
mod machine;
#[cfg(feature = "std")]
mod mix;
#[cfg(feature = "std")]
mod panics;
#[cfg(feature = "std")]
pub mod report;
#[cfg(feature = "std")]
mod timers;
#[cfg(feature = "std")]
mod world;

// Row 1: the machine, and generators.
#[cfg(feature = "std")]
mod clock;
pub mod generator;
#[cfg(feature = "std")]
mod primitives;
#[cfg(feature = "std")]
mod sys;

// Row 2: a task, and threads for blocking calls.
#[cfg(feature = "std")]
mod pool;
#[cfg(feature = "std")]
pub mod task;

// Row 3: the loop, and a view of it.
#[cfg(feature = "std")]
pub mod event_loop;
#[cfg(feature = "std")]
pub mod sight;

// Row 4: the reasons to wait.
#[cfg(feature = "std")]
mod callbacks;
#[cfg(feature = "std")]
mod wait;

// Row 5: nouns that users know.
#[cfg(feature = "std")]
pub mod io;
#[cfg(feature = "net")]
pub mod net;
#[cfg(all(feature = "process", unix))]
pub mod process;
#[cfg(feature = "signal")]
pub mod signal;
#[cfg(feature = "std")]
pub mod sync;
#[cfg(feature = "std")]
pub mod threads;
#[cfg(feature = "std")]
pub mod time;

// Row 6: many as one.
#[cfg(feature = "std")]
pub mod group;

// Row 7: the doors.
#[cfg(feature = "std")]
pub mod compat;
#[cfg(feature = "std")]
pub mod cores;
#[doc(hidden)]
pub mod macro_support;
#[cfg(feature = "std")]
mod run;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(all(feature = "net", unix))]
pub use net::fd_watch::FdWatch;
#[cfg(feature = "std")]
pub use run::run;
