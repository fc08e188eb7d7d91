//! Tests of what goes wrong: simulations of whole programs, and tools for single operations.
//!
//! # Simulations
//!
//! They need the feature `simulation`, which is off by default, and belongs into `[dev-dependencies]`.
//!
//! In a simulation nothing is left to chance: the order in which ready tasks run, how long jobs and
//! messages take, and which operations fail are *decisions*, and all come from a seed. A run with the
//! same seed takes the same course, in any process. The program is not changed for that, and needs no
//! other types. `#[coro::test(seeds = N)]` runs a test so, and [`explore`] is the function behind it.
//!
//! - Time is virtual. A program asks for it by [`time::now`](crate::time::now) and
//!   [`time::system_now`](crate::time::system_now), and for random numbers by [`rand`].
//! - Jobs for other threads run on the thread of the loop, one after another. A job that waits for
//!   another thread waits for ever.
//! - There are no subprocesses, signals, standard streams and foreign descriptors: asking for one
//!   panics, and says what to do.
//! - A run ends at once if nothing can wake its tasks any more, and after a million steps.
//! - The first seed is run twice. If the runs differ, the test fails with the first step that does.
//!
//! When a run fails, the decisions that are not needed for the failure are taken away: those that are
//! left tell the story. Each decision has a place of its own, such as "the third wake-up of the second
//! task that the main future spawned", so one that is taken away changes no other.
//!
//! # Single operations
//!
//! With the same feature, [`cancel_everywhere`] drops an operation at each of its suspensions, [`crash_everywhere`] ends a
//! program before each of its steps. [`lockstep_pair`] and [`io::duplex`](crate::io::duplex) are streams in memory.
//! [`wait_all_tasks_blocked`] and [`advance`] let the other tasks go on as far as they can; they are of
//! use in every `#[coro::test]`.

pub use coro_core::testing::{advance, lockstep_pair, rand, wait_all_tasks_blocked};

#[cfg(feature = "simulation")]
pub use coro_core::testing::{
    Explore, Explored, FailedRun, Faults, Host, Packet, PacketKind, RuleGuard, Sim, TestOutput,
    Verdict, cancel_everywhere, crash_everywhere, explore,
};
